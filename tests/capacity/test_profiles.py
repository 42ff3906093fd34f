import msgspec
import pytest

from tidegate.capacity.profiles import H100, LLAMA_70B_FP8, PROFILES, RTX4090, on_gpu, profile


def test_a_profile_is_found_by_its_name():
    for name in ("tiny", "instant", "rtx4090-8b", "h100-8b", "h100-70b-tp4"):
        assert profile(name).name == name


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match="no profile 'huge'; there are: tiny"):
        profile("huge")


def test_every_profile_can_hold_its_longest_request():
    for found in PROFILES.values():
        assert found.kv_blocks * found.block_tokens >= found.max_model_len, found.name


def test_a_profile_without_room_is_refused():
    with pytest.raises(ValueError, match="kv_blocks must be at least 1"):
        msgspec.structs.replace(profile("tiny"), kv_blocks=0).__post_init__()
    with pytest.raises(ValueError, match="leaves no KV memory"):
        on_gpu("x", RTX4090, 1, LLAMA_70B_FP8)


def test_a_70b_model_in_fp8_fits_two_h100():
    assert on_gpu("x", H100, 2, LLAMA_70B_FP8).kv_blocks > 8192
