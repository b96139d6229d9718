"""Prints, as JSON, the requests that pyairtable, a client of Airtable's API that others wrote, makes for what Airtable's own client
does not know: whose account it is, its bases, and the tables of one. Nothing is sent: an adapter writes down what would be.
"""

import json
from urllib.parse import parse_qsl, urlsplit

from pyairtable import Api
from requests import Response
from requests.adapters import BaseAdapter

ANSWERS = {
    "/v0/meta/whoami": [{"id": "usr1"}],
    "/v0/meta/bases": [{"bases": [], "offset": "itr1"}, {"bases": []}],
    "/v0/meta/bases/app1/tables": [{"tables": []}],
}


class Recorder(BaseAdapter):
    def __init__(self):
        super().__init__()
        self.sent = []

    def send(self, request, **_):
        to = urlsplit(request.url)
        self.sent.append({"method": request.method, "path": to.path, "query": dict(parse_qsl(to.query))})
        response = Response()
        response.status_code, response.url, response.request = 200, request.url, request
        response.headers["content-type"] = "application/json"
        earlier = sum(sent["path"] == to.path for sent in self.sent) - 1
        response._content = json.dumps(ANSWERS[to.path][earlier]).encode()
        return response

    def close(self):
        pass


def last(act):
    """The last request of what is done: of a list, the one for its last page."""
    api = Api("k")
    recorder = Recorder()
    api.session.mount("https://", recorder)
    act(api)
    return recorder.sent[-1]


print(json.dumps({
    "whoami": last(lambda api: api.whoami()),
    "list_bases": last(lambda api: api.bases()),
    "get_base_schema": last(lambda api: api.base("app1", validate=False).schema()),
}))
