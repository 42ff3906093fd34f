"""`python -m tidegate.sim serve ...`: the simulated engine as a process of its own."""

import click

from tidegate.sim.command import serve

group = click.Group("sim", commands={"serve": serve})

if __name__ == "__main__":
    group()
