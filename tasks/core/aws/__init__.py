"""The only door to AWS: one file a service, with the few verbs that Greenroom uses of it.

No other package imports boto3. Endpoints come from botocore's own settings (`AWS_ENDPOINT_URL`,
`AWS_ENDPOINT_URL_REKOGNITION`): nothing here knows where it runs.
"""
