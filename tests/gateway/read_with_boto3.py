"""Reads a bucket of the gateway with boto3 in every way there is, and prints what it got as JSON.

Arguments: bucket, large key, folder to download to. The endpoint and keys come from the environment.
"""

import hashlib
import json
import os
import sys
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

bucket, large, folder = sys.argv[1:]
client = boto3.client("s3")
resource = boto3.resource("s3").Bucket(bucket)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def code_of(call, *args, **named):
    try:
        call(*args, **named)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "nothing"


def presigned(version):
    signer = boto3.client("s3", config=Config(signature_version=version))
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": large}, ExpiresIn=60)
    with urllib.request.urlopen(url) as reply:
        return sha256(reply.read())


pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 3})
listed = [item for page in pages for item in page["Contents"]]
folders = client.list_objects_v2(Bucket=bucket, Delimiter="/")["CommonPrefixes"]
head = client.head_object(Bucket=bucket, Key=large)
target = os.path.join(folder, "boto3.bin")
parts = TransferConfig(multipart_threshold=1024 * 1024, multipart_chunksize=1024 * 1024, max_concurrency=4)
client.download_file(bucket, large, target, Config=parts)
with open(target, "rb") as file:
    downloaded = sha256(file.read())
part = client.get_object(Bucket=bucket, Key=large, Range="bytes=100-299")
wrong = boto3.client("s3", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], aws_secret_access_key="wrong-secret")

print(
    json.dumps(
        {
            "sizes": {item["Key"]: item["Size"] for item in listed},
            "etags": {item["Key"]: item["ETag"] for item in listed},
            "folders": [item["Prefix"] for item in folders],
            "resource": [item.key for item in resource.objects.all()],
            "bodies": {item.key: sha256(item.get()["Body"].read()) for item in resource.objects.all()},
            "head": [head["ContentLength"], head["ETag"], head["ContentType"], head["Metadata"]],
            "downloaded": downloaded,
            "part": [part["ContentRange"], sha256(part["Body"].read())],
            "presigned": [presigned("s3"), presigned("s3v4")],
            "buckets": [item["Name"] for item in client.list_buckets()["Buckets"]],
            "errors": {
                "wrong": code_of(wrong.list_objects_v2, Bucket=bucket),
                "bucket": code_of(client.list_objects_v2, Bucket="missing"),
                "head_bucket": code_of(client.head_bucket, Bucket="missing"),
                "key": code_of(client.get_object, Bucket=bucket, Key="missing"),
                "head_key": code_of(client.head_object, Bucket=bucket, Key="missing"),
                "put": code_of(client.put_object, Bucket=bucket, Key="new", Body=b"new"),
                "changed": code_of(client.get_object, Bucket=bucket, Key=large, IfMatch='"other"'),
            },
        }
    )
)
