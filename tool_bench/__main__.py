"""``python -m tool_bench``."""

from tool_bench.cli import main

if __name__ == "__main__":
    main()
