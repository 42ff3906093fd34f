"""`python -m tidegate.boot`: the same as the console script."""

from tidegate.boot.entry import main

main()
