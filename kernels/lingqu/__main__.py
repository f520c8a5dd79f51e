"""`python -m lingqu` is `lingqu`."""

from lingqu.cli.main import main

main()
