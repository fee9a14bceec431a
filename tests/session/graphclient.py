"""A client of the sandbox's Graph, as careful as Postern, for what others see of a mailbox."""

import json
import ssl
import urllib.parse
import urllib.request
import uuid

from harness import MAILBOX
from tap import PATIENCE


class Graph:
    """Signs in as the application."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        self.trust = ssl.create_default_context(cafile=sandbox.ca_file)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                                  urllib.request.HTTPSHandler(context=self.trust))
        answer = self.ask("POST", f"{sandbox.login_url}/{sandbox.tenant_id}/oauth2/v2.0/token",
                          urllib.parse.urlencode({
                              "grant_type": "client_credentials", "client_id": sandbox.client_id,
                              "client_secret": sandbox.client_secret,
                              "scope": sandbox.graph_url + "/.default"}).encode(),
                          {"Content-Type": "application/x-www-form-urlencoded"})
        self.token = answer["access_token"]

    def ask(self, method, url, body=None, headers=None):
        """The answer's JSON, or its bytes; an HTTP error raises."""
        request = urllib.request.Request(url, body, method=method, headers=headers or {})
        with self.opener.open(request, timeout=PATIENCE) as answer:
            data = answer.read()
            self.headers = answer.headers
            if "json" in answer.headers.get("Content-Type", ""):
                return json.loads(data)
            return data

    def call(self, method, path, body=None):
        """A request to the mailbox."""
        headers = {"Authorization": f"Bearer {self.token}", "client-request-id": str(uuid.uuid4()),
                   "Prefer": 'IdType="ImmutableId"', "Content-Type": "application/json"}
        return self.ask(method, f"{self.sandbox.graph_url}/v1.0/users/{MAILBOX}{path}",
                        None if body is None else json.dumps(body).encode(), headers)
