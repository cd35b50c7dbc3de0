"""Greenroom into CloudFormation, the same way for a laptop and an AWS account; and Greenroom as it is deployed."""
