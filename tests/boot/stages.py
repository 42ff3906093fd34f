"""A stage without processes, for parts that only tell."""

from pathlib import Path

from tidegate.boot.tour_stage import Stage, Urls
from tidegate.core.layout import Layout


def stage(folder: Path, told: list[str], url: str = "http://127.0.0.1:1") -> Stage:
    return Stage(
        folder=folder,
        layout=Layout(folder),
        urls=Urls(url, url, url),
        children={},
        say=told.append,
    )
