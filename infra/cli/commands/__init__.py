"""The subcommands of `greenroom`, one module each: EXAMPLE, arguments(parser), run(given) -> exit code."""
