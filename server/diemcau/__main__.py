"""`python -m diemcau` is the same as the `diemcau` command."""

from diemcau.cli import main

if __name__ == "__main__":
    main()
