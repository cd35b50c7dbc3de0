"""A stand-in for Amazon Rekognition: its protocol in `protocol`, what it answers in `script`."""
