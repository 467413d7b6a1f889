"""Reads through an HTTP proxy as Python programs do. Prints one JSON object."""

import hashlib
import json
import sys

import boto3
import requests
from botocore.config import Config

proxy, endpoint, access_key, secret_key, plain_url = sys.argv[1:]
proxies = {"http": proxy}
config = Config(signature_version="s3v4", proxies=proxies, s3={"addressing_style": "path"}, retries={"max_attempts": 1})
client = boto3.client(
    "s3",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id=access_key,
    aws_secret_access_key=secret_key,
    config=config,
)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def presigned(seconds):
    url = client.generate_presigned_url(
        "get_object", Params={"Bucket": "bucket", "Key": "models/model.bin"}, ExpiresIn=seconds
    )
    reply = requests.get(url, proxies=proxies, timeout=60)
    reply.raise_for_status()
    return {"sha256": digest(reply.content), "task": reply.headers.get("X-Dragonfly-Task-ID")}


whole = requests.get(plain_url, proxies=proxies, timeout=60)
part = requests.get(plain_url, proxies=proxies, timeout=60, headers={"Range": "bytes=-10"})
signed = client.get_object(Bucket="bucket", Key="models/model.bin")
print(
    json.dumps(
        {
            "requests": digest(whole.content),
            "part": [part.status_code, part.content.hex()],
            "presigned": [presigned(600), presigned(900)],
            "signed": digest(signed["Body"].read()),
            "listed": [entry["Key"] for entry in client.list_objects_v2(Bucket="bucket")["Contents"]],
        }
    )
)
