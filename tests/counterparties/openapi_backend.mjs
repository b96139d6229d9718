// A server that answers what an OpenAPI description says it takes (npm `openapi-backend`) as the tests' counterparty: 200 for a
// request that is valid, 400 with the reasons for one that is not.
//
// The description is the file that its first argument names; each description has a server of its own. It listens on a free port of 127.0.0.1, prints one line
// `READY {json}` with its port, and ends when its standard input does.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import openapi from 'openapi-backend';

const definition = JSON.parse(readFileSync(process.argv[2], 'utf8'));

// A body whose schema says `nullable` without a `type` is not validated at all: there the word is taken out.
const repair = (value) => {
  if (Array.isArray(value)) return value.forEach(repair);
  if (value === null || typeof value !== 'object') return;
  if (value.nullable === true && value.type === undefined) delete value.nullable;
  Object.values(value).forEach(repair);
};
repair(definition.components?.schemas ?? {});
repair(definition.paths);

const api = new openapi.OpenAPIBackend({ definition, quick: true, ajvOpts: { strict: false, validateFormats: false } });
const id = (context) => context.operation?.operationId;
api.register({
  notImplemented: (context) => ({ status: 200, body: { operation: id(context) } }),
  notFound: () => ({ status: 404, body: { reason: 'no such path' } }),
  methodNotAllowed: () => ({ status: 405, body: { reason: 'no such method' } }),
  validationFail: (context) => ({ status: 400, body: { operation: id(context), reasons: context.validation.errors } }),
});
await api.init();

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const [path, query = ''] = request.url.split('?');
    const body = Buffer.concat(chunks).toString('utf8');
    let answer;
    try {
      answer = await api.handleRequest({ method: request.method, path, query, headers: request.headers, body: body || undefined });
    } catch (error) {
      answer = { status: 500, body: { reason: String(error) } };
    }
    const text = JSON.stringify(answer.body);
    response.writeHead(answer.status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), connection: 'close' });
    response.end(text);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`READY ${JSON.stringify({ port: server.address().port })}`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
