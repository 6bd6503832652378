"""Make S3_BUCKET where it is not there; fails where the server cannot be reached."""

import os

import boto3

client = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT_URL"])
bucket = os.environ["S3_BUCKET"]
if bucket not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
    client.create_bucket(Bucket=bucket)
