// A certified OAuth and OpenID Connect server (npm `oidc-provider`) as the tests' counterparty.
//
// It listens on a free port of 127.0.0.1, prints one line `READY {json}` with its issuer and its clients, and ends when its
// standard input does. Keys and secrets are made at each start, so that nothing here is one.
//
// A test acts as the browser: it follows redirects with a cookie jar, and where one leads to `/interaction/..` it posts
// `account=ada&decision=allow` there (`deny` refuses; `scope=openid read` grants no more than that).

import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { Provider, errors } from 'oidc-provider';

const secret = () => randomBytes(24).toString('hex');
// What RFC 6749 §2.3.1 wants encoded before it goes into basic authentication; a client that forgets is refused.
const awkwardSecret = () => `${randomBytes(12).toString('hex')}:%+/&= ~`;

const signing = ['ec', 'rsa'].map((type) => {
  const options = type === 'ec' ? { namedCurve: 'P-256' } : { modulusLength: 2048 };
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig' };
});

const clientKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const clientKeyId = randomUUID();

const CODE = ['authorization_code', 'refresh_token'];
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
// With native clients the port of a loopback redirect URI is free (RFC 8252 §7.3).
const REDIRECT = 'http://127.0.0.1/callback';
const browser = {
  application_type: 'native',
  redirect_uris: [REDIRECT, 'https://app.example/callback'],
  response_types: ['code'],
  grant_types: CODE,
};

const clients = [
  { client_id: 'public', token_endpoint_auth_method: 'none', ...browser },
  { client_id: 'basic', client_secret: awkwardSecret(), token_endpoint_auth_method: 'client_secret_basic', ...browser },
  { client_id: 'post', client_secret: secret(), token_endpoint_auth_method: 'client_secret_post', ...browser },
  {
    client_id: 'jwt',
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [{ ...clientKey.publicKey.export({ format: 'jwk' }), kid: clientKeyId, use: 'sig', alg: 'ES256' }] },
    ...browser,
  },
  // Access tokens of one second: what expires is renewed within a test.
  { client_id: 'brief', token_endpoint_auth_method: 'none', ...browser },
  { client_id: 'par', token_endpoint_auth_method: 'none', require_pushed_authorization_requests: true, ...browser },
  { client_id: 'dpop', token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true, ...browser },
  {
    client_id: 'device',
    token_endpoint_auth_method: 'none',
    application_type: 'native',
    redirect_uris: [],
    response_types: [],
    grant_types: [DEVICE, 'refresh_token'],
  },
  {
    client_id: 'service',
    client_secret: awkwardSecret(),
    token_endpoint_auth_method: 'client_secret_basic',
    redirect_uris: [],
    response_types: [],
    grant_types: ['client_credentials'],
  },
];

const RESOURCE = 'https://api.example/';
const ACCOUNTS = new Map(['ada', 'grace', 'alan'].map((name) => [
  name,
  { sub: name, email: `${name}@example.com`, email_verified: true, name: name[0].toUpperCase() + name.slice(1) },
]));

const configuration = {
  clients,
  jwks: { keys: signing },
  cookies: { keys: [secret()], long: { signed: true }, short: { signed: true } },
  scopes: ['openid', 'offline_access', 'read', 'write'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  responseTypes: ['code'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  // A refresh token for whoever may use one, and not only with `offline_access`.
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  ttl: {
    AccessToken: (_ctx, _token, client) => (client.clientId === 'brief' ? 1 : 300),
    ClientCredentials: 300,
    DeviceCode: 300,
    RefreshToken: 3600,
    AuthorizationCode: 60,
    IdToken: 300,
    Interaction: 300,
    Grant: 3600,
    Session: 3600,
  },
  findAccount: async (_ctx, id) => {
    const claims = ACCOUNTS.get(id);
    return claims && { accountId: id, claims: async () => claims };
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    dPoP: {
      enabled: true,
      nonceSecret: randomBytes(32),
      // The first proof is always sent back for a nonce: `use_dpop_nonce`.
      requireNonce: () => true,
    },
    introspection: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => undefined,
      useGrantedResource: async () => true,
      getResourceServerInfo: async (_ctx, resource) => {
        if (!resource.startsWith(RESOURCE)) throw new errors.InvalidTarget();
        return { scope: 'read write', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } };
      },
    },
    revocation: { enabled: true },
  },
};

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, configuration);
provider.on('server_error', (_ctx, error) => console.error(error));
const handle = provider.callback();

const form = async (request) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
};

const json = (response, status, value) => {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
};

/** What the user who looks at the consent page decides. */
const decide = async (request, response) => {
  const details = await provider.interactionDetails(request, response);
  const { prompt, params, session } = details;
  if (request.method !== 'POST') {
    return json(response, 200, { prompt: prompt.name, params, account: session?.accountId });
  }
  const answer = await form(request);
  if (answer.get('decision') === 'deny') {
    const refusal = { error: 'access_denied', error_description: 'the user said no' };
    return provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
  }
  if (prompt.name === 'login') {
    const login = { accountId: answer.get('account') ?? 'ada' };
    if (!ACCOUNTS.has(login.accountId)) return json(response, 400, { error: 'no such account' });
    return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  }
  const grant = (details.grantId && (await provider.Grant.find(details.grantId)))
    || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const allowed = answer.has('scope') ? new Set(answer.get('scope').split(' ')) : undefined;
  const split = (scopes = []) => [
    scopes.filter((scope) => !allowed || allowed.has(scope)).join(' '),
    scopes.filter((scope) => allowed && !allowed.has(scope)).join(' '),
  ];
  const [granted, rejected] = split(prompt.details.missingOIDCScope);
  if (granted) grant.addOIDCScope(granted);
  if (rejected) grant.rejectOIDCScope(rejected);
  if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
    const [yes, no] = split(scopes);
    if (yes) grant.addResourceScope(resource, yes);
    if (no) grant.rejectResourceScope(resource, no);
  }
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
};

/** A user at another device: `user_code`, `account`, and `decision`. The pages at `/device` do the same for people. */
const enterUserCode = async (request, response) => {
  const answer = await form(request);
  const code = await provider.DeviceCode.findByUserCode((answer.get('user_code') ?? '').replace(/[^A-Z0-9]/g, ''));
  if (!code) return json(response, 404, { error: 'no such user code' });
  if (answer.get('decision') === 'deny') {
    Object.assign(code, { error: 'access_denied', errorDescription: 'the user said no' });
  } else {
    const accountId = answer.get('account') ?? 'ada';
    const grant = new provider.Grant({ accountId, clientId: code.clientId });
    grant.addOIDCScope(code.params.scope ?? 'openid');
    Object.assign(code, {
      accountId,
      authTime: Math.floor(Date.now() / 1000),
      claims: {},
      grantId: await grant.save(),
      scope: code.params.scope ?? 'openid',
    });
  }
  await code.save();
  return json(response, 200, { ok: true });
};

/** An API that a tool would call: whose token is it, or 401. */
const whoAmI = async (request, response) => {
  const [scheme, value] = (request.headers.authorization ?? '').split(' ');
  const token = scheme === 'Bearer' && value ? await provider.AccessToken.find(value) : undefined;
  if (!token || token.isExpired) {
    response.setHeader('www-authenticate', `Bearer realm="${issuer}", error="invalid_token"`);
    return json(response, 401, { error: 'invalid_token' });
  }
  return json(response, 200, { account: token.accountId, client: token.clientId, scope: token.scope });
};

server.on('request', (request, response) => {
  const { pathname } = new URL(request.url, issuer);
  const route = pathname.startsWith('/interaction/') ? decide
    : pathname === '/test/device' && request.method === 'POST' ? enterUserCode
      : pathname === '/api/whoami' ? whoAmI
        : undefined;
  if (!route) return handle(request, response);
  return route(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) json(response, error.statusCode ?? 500, { error: error.message });
  });
});

// Whoever started it holds the other end: it ends with him, however he ends.
process.stdin.resume().on('end', () => process.exit(0)).on('error', () => process.exit(0));

const ready = {
  issuer,
  redirect_uri: REDIRECT,
  resource: RESOURCE,
  accounts: [...ACCOUNTS.keys()],
  clients: Object.fromEntries(clients.map((client) => [client.client_id, { secret: client.client_secret ?? null }])),
  client_key: { pem: clientKey.privateKey.export({ format: 'pem', type: 'pkcs8' }), kid: clientKeyId, alg: 'ES256' },
};
console.log(`READY ${JSON.stringify(ready)}`);
