// Lists the endpoints that Notion's SDK (npm `@notionhq/client`) knows: method, path, and the names of what goes into query, body
// and form. Its first argument is the folder with the SDK's files, one for each group of endpoints.

import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.argv[2];
const require = createRequire(join(folder, 'x.js'));
// A path is a function of its parameters.
const names = new Proxy({}, { get: (_, name) => `{${String(name)}}` });
const endpoints = {};
for (const file of readdirSync(folder).sort()) {
  for (const [name, endpoint] of Object.entries(require(join(folder, file)))) {
    endpoints[name] = {
      method: endpoint.method.toUpperCase(),
      path: endpoint.path(names),
      query: endpoint.queryParams ?? [],
      body: endpoint.bodyParams ?? [],
      form: endpoint.formDataParams ?? [],
    };
  }
}
process.stdout.write(JSON.stringify(endpoints));
