"""`tidegate sim`: the engine that needs no GPU."""

import click

from tidegate.sim.command import serve

plug = click.Group(
    "sim", commands={"serve": serve}, help="The engine that needs no GPU, and its faults."
)
