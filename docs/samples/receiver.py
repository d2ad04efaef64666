#!/usr/bin/env python3
"""Receives a Reachwire webhook: checks both signatures, handles each message once, posts receipts back.

    PORT=8080 WEBHOOK_KEY='the key' RECEIPT_URL='https://.../receiveWebHookCallBack' python3 receiver.py

Python 3.8 or later, nothing but the standard library. Put a reverse proxy with https before it.
"""

import hashlib
import hmac
import json
import os
import secrets
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections import OrderedDict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode

PORT = int(os.environ.get("PORT", "8080"))
KEY = os.environ.get("WEBHOOK_KEY", "")
RECEIPT_URL = os.environ.get("RECEIPT_URL", "")
TOLERANCE = 300  # seconds that a request's time may be away from ours
BODY_MAX = 32 * 1024 * 1024
REMEMBERED = 1_000_000
WHITE_SPACE = str.maketrans("", "", " \t\n\v\f\r")  # what Java's \s is; Python's has more


def process(message):
    """Your own work: send the SMS, issue the coupon. An exception makes Reachwire send the batch again."""
    print("processed", message["callback_params"]["actionId"], flush=True)


def sign(key, timestamp, nonce):
    """X-QA-Hmac-Signature: the three strings sorted as in Java (by UTF-16 units), joined, without white space."""
    ordered = sorted([key, timestamp, nonce], key=lambda text: text.encode("utf-16-be"))
    text = "".join(ordered).translate(WHITE_SPACE)
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def sign_body(key, webhook_id, timestamp, body):
    """webhook-signature (Standard Webhooks): covers the body."""
    text = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.new(key.encode(), text, hashlib.sha256).digest()).decode()


def same(one, other):
    """In constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def check(query, headers, body):
    """Raises Refused unless Reachwire sent this, now, and with this body."""
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not same(sign(KEY, timestamp, nonce), headers.get("X-QA-Hmac-Signature", "")):
        raise Refused(401, "BAD_SIGNATURE", "X-QA-Hmac-Signature does not fit the key, timestamp and nonce")
    digits = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    if not digits or abs(time.time() - int(timestamp)) > TOLERANCE:
        raise Refused(401, "BAD_TIMESTAMP", f"the timestamp is more than {TOLERANCE} s away from our time")
    right = sign_body(KEY, headers.get("webhook-id", ""), timestamp, body)
    signatures = headers.get("webhook-signature", "").split(" ")
    if headers.get("webhook-timestamp", "") != timestamp or not any(same(right, one) for one in signatures):
        raise Refused(401, "BAD_BODY_SIGNATURE", "webhook-signature does not fit the key, id, timestamp and body")


# The actionIds that were handled. In production: a table with a unique key, written in the transaction of the work.
done = OrderedDict()
turn = threading.Lock()


def handle(body):
    """Handles what was not handled before. The same batch may come again: after a timeout, or a lost answer."""
    try:
        messages = json.loads(body)
        actions = [message["callback_params"]["actionId"] for message in messages]
        if not isinstance(messages, list) or not all(isinstance(action, str) for action in actions):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "BAD_BODY", "the body is not an array of messages") from None
    receipts = []
    try:
        with turn:  # so that a batch that comes again waits for the first one's end
            for action, message in zip(actions, messages):
                if action in done:
                    continue
                process(message)
                done[action] = True
                if len(done) > REMEMBERED:
                    done.popitem(last=False)
                receipts.append(receipt(message, "200"))
    finally:
        if receipts and RECEIPT_URL:
            threading.Thread(target=post_receipts, args=(receipts,), daemon=True).start()


def receipt(message, status):
    """What became of a message; status is one of the webhook's status codes."""
    return {
        "msg_id": secrets.token_hex(16),
        "status": status,
        "cst_id": message["user_profile"]["customer_id"],
        "send_time": str(int(time.time() * 1000)),
        "callback_params": message["callback_params"],  # as they came
    }


def post_receipts(receipts):
    """At most 10,000 in a request. Posting the same ones again changes nothing, so it tries until they are taken."""
    body = json.dumps(receipts).encode()
    for wait in (0, 2, 10, 60):
        time.sleep(wait)
        timestamp, nonce = str(int(time.time())), secrets.token_hex(16)
        url = RECEIPT_URL + ("&" if "?" in RECEIPT_URL else "?")
        url += urlencode({"timestamp": timestamp, "nonce": nonce})
        headers = {"Content-Type": "application/json", "X-QA-Hmac-Signature": sign(KEY, timestamp, nonce)}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
                if json.load(answer).get("code") == 200:
                    return
        except urllib.error.HTTPError as error:
            print("receipts:", error.code, error.read(2000).decode(errors="replace"), file=sys.stderr, flush=True)
            if error.code < 500 and error.code not in (408, 429):
                return  # the message says which were not taken and why; the others are recorded
        except (OSError, ValueError) as error:
            print("receipts:", error, file=sys.stderr, flush=True)


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", "0"))
            if "Transfer-Encoding" in self.headers or not 0 <= length <= BODY_MAX:
                self.close_connection = True
                raise Refused(413, "TOO_LARGE", f"the body comes in chunks or has more than {BODY_MAX} bytes")
            body = self.rfile.read(length)
            check(dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True)), self.headers, body)
            handle(body)
            self.answer(200, "OK", "")
        except Refused as refused:
            self.answer(refused.status, refused.code, str(refused))
        except Exception as error:  # a 500: Reachwire sends the batch again
            print("failed:", repr(error), file=sys.stderr, flush=True)
            self.answer(500, "FAILED", "not all messages were handled")

    def answer(self, status, code, message):
        body = json.dumps({"code": code, "message": message}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Silent: the query holds what was signed."""


if __name__ == "__main__":
    if not KEY:
        sys.exit("WEBHOOK_KEY is not set: without a key anybody can post")
    print(f"listening on 127.0.0.1:{PORT}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
