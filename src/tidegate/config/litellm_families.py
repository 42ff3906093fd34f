"""Keys of LiteLLM's file that are not carried, by families: what is to be done instead, where
`litellm_advice` has no word for the one key."""

import re
from typing import Final

from tidegate.config.litellm_advice import ADVICE

_NOTHING: Final = ""
_TOOLS: Final = "tools' servers and agents are not served here"
_LOGS: Final = "receipts and /metrics have it: docs/receipts-and-metrics.md"
_PRICE: Final = "write `price` below the target: docs/plan-file.md"
_CLOUD: Final = "write `identity` of the provider: docs/credentials.md"
_REDIS: Final = "name the Redis in `storage.limits`"
_KEPT: Final = "answers are kept in memory, or in the Redis of `storage.limits`: docs/caching.md"
_SEMANTIC: Final = "see docs/semantic-cache.md"
_CHOICE: Final = "no route is chosen by what a request says: give each its own"
_GUARD: Final = "write `guardrails` below the routes"
_FILES: Final = "bounds of files and batches: docs/batches.md"
_LOGIN: Final = "there is no page to sign in to: control has tokens of its own"
_HEADERS: Final = "headers of callers are not passed on"
_PROBE: Final = "write `probe` below the providers"
_CONFIRMED: Final = "a budget is always held and settled before an answer ends"
_SAME: Final = "receipts are always kept, for `storage.retention_days`"
_KEYS: Final = "leads make keys of their team: docs/budgets.md"
_SWITCH: Final = "requests are sent as each provider takes them"
_CALLER_PARAMS: Final = "callers say it, or `parameters` of the route"

# The first that matches the whole key, but for what may follow where it ends with `.*`.
_FAMILIES: Final[tuple[tuple[str, str], ...]] = (
    ("mcp_.*|agents?|agent_.*|.*_mcp_.*|public_mcp_.*|public_agent.*|user_mcp_.*", _TOOLS),
    ("tool_.*|sandbox_tools|search_tool.*|skill_.*|public_skills.*|worker_registry", _TOOLS),
    ("use_azure_key_vault|use_google_kms", ADVICE["use_google_kms"]),
    ("password_policy.*|.*_sso.*|.*login.*|hide_default_cred.*|ui_.*|control_plane_url", _LOGIN),
    (".*claude_code.*|plugins|classifier_plugin|blog_posts_url|enable_public_model_hub", _NOTHING),
    ("prometheus_.*|custom_prometheus.*|require_auth_for_metrics.*", _LOGS),
    ("(datadog|langfuse|langsmith|argilla|newrelic|pointfive|zerobus|gcs_pub).*", _LOGS),
    ("aws_sqs_.*|s3_(audit_)?callback.*|generic_(api|logger).*|otel_.*|tracing|logging", _LOGS),
    ("log_.*|.*_in_logs|.*_logging|standard_logging.*|cold_storage.*|logged_.*|email", _LOGS),
    ("input_callback|.*_callbacks|dynamodb_.*|forward_traceparent.*|langfuse_.*", _LOGS),
    ("global_disable_no_log_param|allow_dynamic_callback_disabling|redact_.*", _LOGS),
    ("disable_(streaming_logging|token_counter|add_user_agent.*|requester_ip.*)", _LOGS),
    (
        "extra_spend_tag_headers|request_tag_mappings|reject_clientside_metadata_tags",
        ("receipts have attributes of the key: docs/plan-file.md, `keys`"),
    ),
    (".*(end_user_cost_tracking).*|spend_logs_metadata.*", _LOGS),
    (".*spend_logs.*|.*_retention_period|.*spend_updates|use_spend_logs.*", _SAME),
    ("accounting_.*|spend_capture.*|disable_budget_reservation|fail_closed_budget.*", _CONFIRMED),
    ("fail_closed_rate.*|coordination_redis|token_rate_limit_type", _REDIS),
    ("allow_requests_on_db_unavailable", "keys that are known go on while control is away"),
    ("database_.*|disable_prisma.*|user_api_key_cache.*|supported_db_objects", _NOTHING),
    ("proxy_(budget|batch|config)_.*|scheduled_job_stagger|disable_reset_budget", _NOTHING),
    ("disable_master_key_return|litellm_license|litellm_mode|use_client|token|retry", _NOTHING),
    (
        "suppress_.*|safe_memory_mode|network_mock|.*_cost_map_url|anthropic_beta_headers_url",
        (_NOTHING),
    ),
    (
        "autorouter_presets_url|check_provider_endpoint|config_path|enable_preview_features",
        (_NOTHING),
    ),
    (".*health_check.*|enable_drain.*|drain_endpoint.*|allow_public_health.*", _PROBE),
    ("disable_model_info_refresh|return_wildcard_routes|model_list_healthy_only", _NOTHING),
    ("maximum_.*|health_check_details", _NOTHING),
    (".*(max_file|max_batch|file_extensions|batch_input|file_downloads|managed_files).*", _FILES),
    (".*batch_endpoints|.*unmanaged_batch.*|transcribe_media.*|max_embedding_batch.*", _FILES),
    ("max_response_size_mb", "an answer's bound is `gateway.http.max_response_bytes`"),
    (
        "(max_in_flight|max_queued)_requests_per_worker|admission_queue.*",
        ("write `queueing` below the targets, or a limit of `concurrency`"),
    ),
    ("cancel_on_disconnect|always_include_stream_usage|include_cost_in_streaming.*", _NOTHING),
    (
        "include_call_id_in_error_body|expose_.*|return_response_headers|filter_invalid_headers",
        ("answers tell the request's id, route and target in their headers"),
    ),
    (
        "custom_(auth|sso|ui).*|.*oauth2.*|role_permissions|enforce_rbac|allow_user_auth",
        ("callers have keys, or tokens: docs/callers.md"),
    ),
    (
        "enable_jwt.*|litellm_jwt.*|litellm_key_header_name|validate_end_user.*",
        ("callers have keys, or tokens: docs/callers.md"),
    ),
    ("dangerously_permit.*|disable_env_credential.*|allow_cli_sso.*", _LOGIN),
    ("custom_key.*|custom_team.*|team_metadata.*|key_alias_pattern|enable_key_alias.*", _KEYS),
    ("disable_custom_api_keys|disable_key_generate.*|default_team.*|disable_auto_add.*", _KEYS),
    ("default_key.*|default_internal.*|self_serve_budget.*|service_account_settings", _KEYS),
    (
        "default_max_internal.*|max_user_budget|default_soft_budget|max_end_user_budget",
        ("write a budget, `scope: customer` or `scope: end_user`"),
    ),
    ("budget_(rollover|reset_time|exceeded).*", "a budget's period and excess: docs/budgets.md"),
    ("cost_(discount|margin)_config|apply_search_free.*", _PRICE),
    ("block_requests_for_models_without_pricing", "write `unpriced: refuse` into the plan"),
    (
        "personal_key_model_access.*|use_team_public_model.*|enforce_fallback_model_access",
        ("what a key may call is on the key"),
    ),
    (
        "(enforced_params|enforce_user_param|missing_session_id)",
        ("no request is refused for what it does not say"),
    ),
    ("overwrite_user.*|add_user_information.*|fireworks_forward_user_id", _HEADERS),
    ("forward_.*|provider_affinity_header|bedrock_request_metadata.*|headers", _HEADERS),
    (
        "allow_client_side.*|configurable_clientside.*|use_in_pass_through|.*_pass_?through.*",
        ("callers' own credentials are not passed on, and no endpoint but the APIs of a route"),
    ),
    (
        "pass_through_request_timeout|user_url.*|provider_url.*|enable_openai_websocket.*|responses_websocket.*",
        _NOTHING,
    ),
    (
        "allow_unmanaged_response.*|disable_responses_id.*|passthrough_managed.*|responses",
        ("answers of `/v1/responses` are kept by their provider: docs/dialects.md"),
    ),
    ("use_x_forwarded_for|trusted_proxy.*", "the address of a caller is that of its connection"),
    ("infer_model_from_keys|completion_model|.*_model_name", "callers name their route"),
    (
        "disable_retry_on_max_parallel.*|disable_fallbacks_on.*",
        ("`retry` and `fallbacks` of a route go by the class of failure"),
    ),
    (
        "model_fallbacks|num_retries_per_request|max_fallbacks|fallback_.*",
        ("`retry` and `fallbacks` of a route go by the class of failure"),
    ),
    (
        "enable_(weighted_failover|mid_stream).*|ignore_invalid_deploy.*",
        ("`retry` and `fallbacks` of a route go by the class of failure"),
    ),
    ("caching_groups|cache_(kwargs|responses)|client_ttl|enable_caching.*|caching.*", _KEPT),
    ("redis_.*", _REDIS),
    ("default_(in_memory|redis|in_redis)_.*|force_redis_hash.*", "write `ttl` below `cache.exact`"),
    (".*affinity.*|deployment_affinity.*|session_affinity.*", "write `balance: sticky`"),
    ("routing_groups|tag_.*|enable_tag_.*|tags|model_group_settings", _CHOICE),
    ("(auto_router|complexity_router|adaptive_router|quality_router|internal_router).*", _CHOICE),
    ("member_auto_router|router_general_settings|allow_fail_open|polling_interval", _CHOICE),
    ("default_priority|priority_reservation.*", "keys have a priority: docs/plan-file.md"),
    ("alert.*|spend_report_frequency|alerting_config", "write `control.notifications`"),
    ("guardrail.*|.*moderation.*|presidio.*|llm_guard.*|llamaguard.*|banned_.*", _GUARD),
    ("blocked_user_list|output_parse_pii|skip_.*_in_guardrail|pre_call_rules|post_call_.*", _GUARD),
    (
        "global_(prompt|bitbucket|gitlab)_.*|prompt_name_config_map",
        ("write them into the repository of prompts: docs/prompts.md"),
    ),
    ("vertex_ai_safety_settings|vertex_safety.*", "it is said in the request"),
    ("(off_peak|tiered)_pricing|.*_cost_per_.*|.*_token_cost.*|cost_per_.*|ptu_.*", _PRICE),
    ("max_ptu_count|max_cost_per_ptu.*|citation_cost.*|.*_uplift_multiplier.*", _PRICE),
    ("pricing_provider|search_context_cost.*|search_free.*|web_search_billing.*", _PRICE),
    ("aws_.*|bedrock_tags|token_exchange.*|chatgpt_auth.*|use_xai_oauth|.*_token_refresh", _CLOUD),
    ("(anthropic_(federation|identity|issuer|keycloak|service|organization|disable)).*", _CLOUD),
    ("(openai_(identity|service)|azure_(ad|scope|username|password)).*", _CLOUD),
    ("common_cloud_provider.*|default_vertex_config|proxy_auth|enable_model_config_cred.*", _CLOUD),
    (
        "(rpd|tpd|itpm|otpm|daily_reset_time|default_api_key_[rt]pm_limit)",
        ("write a limit, `only: {target: NAME}`"),
    ),
    ("(stream_)?timeout_by_service_tier", "write `deadlines` below a target of its own"),
    (
        "(api_base|api_version|organization|project|vertex_project|vertex_location)",
        ("write it below each provider"),
    ),
    ("gdc_.*|predibase.*|watsonx_.*|regional_.*", "write it into `base_url` of the provider"),
    (
        "(http2|ssl_.*|aiohttp_.*|.*_aiohttp_.*)",
        ("its connections are those of the gateway: docs/plan-file.md, `providers`"),
    ),
    ("kubernetes_pod_discovery", "name the engine's replicas: docs/plan-file.md, `replicas`"),
    ("(s3|gcs|bucket|azure_(account|blob)|disk_cache).*", _KEPT),
    ("(qdrant|valkey|redis_semantic|semantic_cache|vector|index|milvus|embedding_).*", _SEMANTIC),
    ("similarity_threshold|.*_semantic_cache_.*", _SEMANTIC),
    (
        "keepalive_.*|allow_client_keepalive.*|.*_ping_interval.*",
        ("comments keep a stream open: `gateway.http.keepalive_comment_s`"),
    ),
    (
        "custom_provider_map|custom_prompt_dict",
        "a provider of your own is a plug: docs/providers.md",
    ),
    ("team_id", "there that team alone may call it: name routes on the keys of the others"),
    ("access_windows", "there it may be called at times alone: end it in the plan then"),
    ("blocked", "there nobody is served by it: take it out of the plan"),
    (
        "supports_.*|supported_.*|(thinking|token_count|uses|use_openai)_.*|reasoning_[cm].*",
        _NOTHING,
    ),
    (
        "enforce_supported_endpoints|discoverable|prompt_cache_min.*|provider_specific_entry",
        (_NOTHING),
    ),
    ("key|output_vector_size|.*_audio_api|regex_.*|default_reasoning_effort", _NOTHING),
    ("default_vertex.*|vertex_.*", _CLOUD),
    ("public_model_groups.*|model_group_.*", _NOTHING),
    ("max_tokens|logit_bias|top_logprobs|extra_body|stream_options|user", _CALLER_PARAMS),
    ("(reasoning|bedrock|gemini|openai|anthropic|use_chat|route_all|merge|thought)_?.*", _SWITCH),
    ("(enable|disable|strip|add|use|responses_api)_.*", _SWITCH),
    ("litellm_trace_id|max_messages", _NOTHING),
)
_COMPILED: Final = tuple((re.compile(pattern), said) for pattern, said in _FAMILIES)


def advice_of(name: str) -> str | None:
    """What to do about this key; empty where nothing is needed, None where nobody knows it."""
    known = ADVICE.get(name)
    if known is not None:
        return known
    lower = name.lower()
    return next((said for pattern, said in _COMPILED if pattern.fullmatch(lower)), None)
