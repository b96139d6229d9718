// Linear's published schema behind a GraphQL server that others wrote (npm `graphql-yoga`, `@graphql-tools/mock`) as the tests'
// counterparty: a document that is not valid against the schema, uses what is deprecated in it, or comes with variables that it does
// not declare, is refused with the reasons; any other is answered with made-up data of the right types.
//
// The schema is the file that its first argument names. It listens on a free port of 127.0.0.1, prints one line `READY {json}` with its
// port, and ends when its standard input does. `PUT /upload` stands for the storage.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { addMocksToSchema } from '@graphql-tools/mock';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { GraphQLError, Kind, NoDeprecatedCustomRule, validate } from 'graphql';
import { createYoga } from 'graphql-yoga';

const ID = '9cfb482a-81e3-4154-b5b9-2c805e70a02d';
const schema = makeExecutableSchema({ typeDefs: readFileSync(process.argv[2], 'utf8') });
let port = 0;
const mocks = {
  Boolean: () => true,
  DateTime: () => '2026-05-31T12:00:00.000Z',
  DateTimeOrDuration: () => '2026-05-31T12:00:00.000Z',
  Float: () => 3,
  ID: () => ID,
  Int: () => 3,
  JSON: () => ({ made: 'up' }),
  JSONObject: () => ({ made: 'up' }),
  Notification: () => ({ __typename: 'IssueNotification' }),
  TimelessDate: () => '2026-05-31',
  UploadFile: () => ({
    uploadUrl: `http://127.0.0.1:${port}/upload`,
    headers: [{ key: 'x-goog-content-length-range', value: '5,5' }],
  }),
};

const declared = (document) =>
  new Set(
    document.definitions
      .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
      .flatMap((definition) => definition.variableDefinitions.map((variable) => variable.variable.name.value)),
  );

// What the specification lets pass.
const strict = {
  onExecute({ args, setResultAndStopExecution }) {
    const known = declared(args.document);
    const unknown = Object.keys(args.variableValues ?? {}).filter((name) => !known.has(name));
    const errors = [
      ...validate(schema, args.document, [NoDeprecatedCustomRule]),
      ...unknown.map((name) => new GraphQLError(`the variable ${name} is not declared`)),
    ];
    if (errors.length > 0) setResultAndStopExecution({ errors });
  },
};

const yoga = createYoga({
  schema: addMocksToSchema({ schema, mocks }),
  plugins: [strict],
  graphiql: false,
  landingPage: false,
  logging: false,
  maskedErrors: false,
});
const server = createServer((request, response) => {
  if (request.method === 'PUT' && request.url === '/upload') {
    const good = request.headers['x-goog-content-length-range'] === '5,5' && request.headers.authorization === undefined;
    request.resume().on('end', () => response.writeHead(good ? 200 : 403).end());
    return;
  }
  yoga(request, response);
});
server.listen(0, '127.0.0.1', () => {
  port = server.address().port;
  console.log(`READY ${JSON.stringify({ port })}`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
