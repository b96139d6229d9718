// Prints the OAuth endpoints that three npm packages know, as JSON: package, provider, endpoint, addresses. What is only
// known at run time stands as `{name}`; a path without a known host begins with `https://{host}`.

import { readFile, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// The script is copied beside the packages before it is run.
const folderOf = (name, inside) => join(dirname(fileURLToPath(import.meta.url)), 'node_modules', name, inside);
const bare = (address) => String(address).split('?')[0];
const note = (found, endpoint, address) => {
  if (address) (found[endpoint] ??= []).push(bare(address));
};

/** grant: a table. */
const grant = async () => {
  const table = JSON.parse(await readFile(folderOf('grant', 'config/oauth.json'), 'utf8'));
  return Object.fromEntries(Object.entries(table).filter(([, entry]) => entry.oauth === 2).map(([name, entry]) => {
    const found = {};
    note(found, 'authorize', entry.authorize_url?.replaceAll(/\[(\w+)\]/g, '{$1}'));
    note(found, 'token', entry.access_url?.replaceAll(/\[(\w+)\]/g, '{$1}'));
    return [name, found];
  }));
};

/** @auth/core: a function for each provider that returns its settings. */
const authCore = async () => {
  const folder = folderOf('@auth/core', 'providers');
  const all = {};
  for (const file of await readdir(folder)) {
    if (!file.endsWith('.js')) continue;
    let settings;
    try {
      const { default: provider } = await import(pathToFileURL(join(folder, file)));
      settings = provider({ clientId: 'id', clientSecret: 'secret', apiKey: 'key', redirectUri: 'https://app.example/' });
    } catch {
      continue; // It sends mail, or it needs options of its own and so has no fixed address.
    }
    if (!['oauth', 'oidc'].includes(settings?.type)) continue;
    const found = {};
    const url = (value) => (typeof value === 'string' ? value : value?.url);
    note(found, 'authorize', url(settings.authorization));
    note(found, 'token', url(settings.token));
    note(found, 'issuer', settings.issuer);
    if (Object.keys(found).length) all[basename(file, '.js')] = found;
  }
  return all;
};

/** arctic: constants and template literals in a module for each provider. */
const arctic = async () => {
  const folder = folderOf('arctic', 'dist/providers');
  const names = { authorizationEndpoint: 'authorize', tokenEndpoint: 'token', tokenRevocationEndpoint: 'revoke' };
  const all = {};
  for (const file of await readdir(folder)) {
    if (!file.endsWith('.js')) continue;
    const text = await readFile(join(folder, file), 'utf8');
    const found = {};
    for (const [, name, value] of text.matchAll(/(\w+Endpoint) = ([^;]+);/g)) {
      const literal = value.match(/^["'`]([^"'`]+)["'`]$/)?.[1];
      const joined = value.match(/^joinURIAndPath\((.+)\)$/)?.[1];
      const address = literal?.replaceAll(/\$\{([\w.]+)\}/g, '{$1}') ?? joined?.split(',').map((part) => {
        const [, quoted] = part.trim().match(/^["'](.+)["']$/) ?? [];
        return quoted ?? '/{name}';
      }).join('');
      if (names[name] && address) {
        note(found, names[name], address.startsWith('/{name}/') ? `https://{host}${address.slice(7)}` : address);
      }
    }
    if (Object.keys(found).length) all[basename(file, '.js')] = found;
  }
  return all;
};

const packages = { grant: await grant(), '@auth/core': await authCore(), arctic: await arctic() };
for (const [name, providers] of Object.entries(packages)) {
  if (!Object.keys(providers).length) throw new Error(`${name} no longer says its endpoints where they were looked for`);
}
console.log(JSON.stringify(packages));
