"""A client of the sandbox's Entra ID and of its Graph, for tests of the sandbox itself."""

import base64
import hashlib
import json
import secrets
import ssl
import urllib.error
import urllib.parse
import urllib.request
import uuid

from harness import MAILBOX
from tap import PATIENCE

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "https://graph.microsoft.com/Mail.ReadWrite User.Read offline_access openid"
REDIRECT = "http://127.0.0.1:4711/"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Redirects are what is looked at."""

    def redirect_request(self, *_):
        return None


class Answer:
    """status, headers, body (bytes), and json where it is that."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        is_json = "json" in (self.headers.get("Content-Type") or "")
        self.json = json.loads(self.body) if is_json and self.body else None

    def __getitem__(self, name):
        return self.json[name]

    @property
    def number(self):
        """The AADSTS number of a refusal, 0 for a success."""
        return (self.json or {}).get("error_codes", [0])[0]

    @property
    def code(self):
        """Graph's code of an error."""
        return self.json["error"]["code"]


class Pkce:
    """A code verifier and its S256 challenge (RFC 7636)."""

    def __init__(self):
        self.verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def claims_of(token):
    """What a JWT says."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Entra:
    """Asks for tokens, and Graph by right of them."""

    def __init__(self, sandbox):
        self.sandbox = sandbox
        trust = ssl.create_default_context(cafile=sandbox.ca_file)
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust),
            NoRedirect())

    def ask(self, method, url, body=None, headers=None):
        request = urllib.request.Request(url, body, method=method, headers=headers or {})
        try:
            with self.opener.open(request, timeout=PATIENCE) as response:
                return Answer(response)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error)

    def url(self, endpoint, tenant=None):
        sandbox = self.sandbox
        return f"{sandbox.login_url}/{tenant or sandbox.tenant_id}/oauth2/v2.0/{endpoint}"

    def post(self, endpoint, tenant=None, **fields):
        """A form; client_id is added, fields that are None are left out."""
        fields = {"client_id": self.sandbox.client_id, **fields}
        form = urllib.parse.urlencode({k: v for k, v in fields.items() if v is not None})
        return self.ask("POST", self.url(endpoint, tenant), form.encode(),
                        {"Content-Type": "application/x-www-form-urlencoded"})

    def token(self, grant, **fields):
        return self.post("token", grant_type=grant, **fields)

    def app_token(self, **fields):
        return self.token("client_credentials", **{
            "scope": self.sandbox.graph_url + "/.default",
            "client_secret": self.sandbox.client_secret, **fields})

    def sign_in(self, user=MAILBOX, scope=SCOPE, **fields):
        """A user's tokens, by device code."""
        begun = self.post("devicecode", scope=scope)
        self.sandbox.device(user, begun["user_code"])
        return self.token(DEVICE, device_code=begun["device_code"], **fields)

    def refresh(self, token, **fields):
        return self.token("refresh_token", refresh_token=token, **fields)

    def authorize(self, pkce=None, **fields):
        """The address that the browser is sent back to, as a dictionary of its query; or the
        answer itself where it is not sent anywhere."""
        fields = {"client_id": self.sandbox.client_id, "response_type": "code",
                  "redirect_uri": REDIRECT, "scope": SCOPE, "state": "a b&c",
                  "code_challenge": pkce and pkce.challenge,
                  "code_challenge_method": pkce and "S256", **fields}
        query = urllib.parse.urlencode({k: v for k, v in fields.items() if v is not None})
        answer = self.ask("GET", self.url("authorize") + "?" + query)
        if answer.status != 302:
            return answer
        back = urllib.parse.urlsplit(answer.headers["Location"])
        return {"uri": f"{back.scheme}://{back.netloc}{back.path}",
                **dict(urllib.parse.parse_qsl(back.query))}

    def imds(self, headers=None, **query):
        """A request to the metadata service; query members that are None are left out."""
        query = {"api-version": "2018-02-01", "resource": self.sandbox.graph_url, **query}
        query = urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})
        return self.ask("GET", f"{self.sandbox.imds_url}/metadata/identity/oauth2/token?{query}",
                        headers={"Metadata": "true"} if headers is None else headers)

    def graph(self, path, token, method="GET", body=None):
        """A request to Graph by right of a token."""
        headers = {"Authorization": f"Bearer {token}", "client-request-id": str(uuid.uuid4()),
                   "Prefer": 'IdType="ImmutableId"', "Content-Type": "application/json"}
        return self.ask(method, self.sandbox.graph_url + "/v1.0" + path,
                        None if body is None else json.dumps(body).encode(), headers)
