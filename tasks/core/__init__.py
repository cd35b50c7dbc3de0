"""What every task stands on: models, errors, settings, AWS and the Lambda entry point."""
