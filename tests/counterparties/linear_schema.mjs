// Prints Linear's GraphQL schema as its own client for TypeScript has it: `node linear_schema.mjs TYPES`, the file of types in npm
// `@linear/sdk`. The client's types are made from the schema, so what they say is read back: objects, interfaces, unions, inputs, enums
// and scalars, arguments, what may be missing, and what is deprecated. Not so in the client's types: descriptions, default values, which
// interfaces an interface implements, and two inputs with another case in their names (`IdComparator`, `IssueIdComparator`).

import { readFileSync } from 'node:fs';
import ts from 'typescript';

const source = ts.createSourceFile('types.d.mts', readFileSync(process.argv[2], 'utf8'), ts.ScriptTarget.Latest, true);
const text = (node) => node.getText(source);

const aliases = new Map();
const enums = new Map();
for (const statement of source.statements) {
  if (ts.isTypeAliasDeclaration(statement)) aliases.set(statement.name.text, statement.type);
  if (ts.isEnumDeclaration(statement)) enums.set(statement.name.text, statement);
}

// `A & B & { .. }` as what it is made of.
const parts = (type) => (ts.isIntersectionTypeNode(type) ? [...type.types] : [type]);
const literal = (type) => parts(type).find(ts.isTypeLiteralNode);
const property = (members, name) => members?.members.find((member) => member.name && text(member.name) === name);
const named = (type) => {
  const own = property(literal(type), '__typename');
  return own?.questionToken && ts.isLiteralTypeNode(own.type) ? own.type.literal.text : undefined;
};

// The client writes some names in another case. What else has a `__typename` is the answer to one of the client's own documents.
const same = (one, other) => one?.toLowerCase() === other.toLowerCase();
const objects = new Map([...aliases].filter(([name, type]) => same(named(type), name)));
const above = (type) => parts(type).filter(ts.isTypeReferenceNode).map(text);
const interfaces = new Set([...objects.values()].flatMap(above));
for (const name of interfaces) for (const more of above(aliases.get(name))) interfaces.add(more);
// The name in the schema, where the client writes it another way.
const real = (name) => (objects.has(name) ? named(objects.get(name)) : name);

const inputs = new Set();
function written(type, seen = () => {}) {
  if (ts.isIndexedAccessTypeNode(type)) return `${text(type.indexType).replace(/["']/g, '')}!`;
  const name = text(type.typeName);
  if (/^(Input)?Maybe$/.test(name)) return written(type.typeArguments[0], seen).slice(0, -1);
  if (name === 'Array') return `[${written(type.typeArguments[0], seen)}]!`;
  seen(name);
  return `${real(name)}!`;
}
function input(name) {
  if (inputs.has(name) || enums.has(name)) return;
  inputs.add(name);
  for (const member of literal(aliases.get(name)).members) written(member.type, input);
}

const deprecated = (member) => {
  const tag = ts.getJSDocTags(member).find((tag) => tag.tagName.text === 'deprecated');
  return tag ? ` @deprecated(reason: ${JSON.stringify(ts.getTextOfJSDocComment(tag.comment) ?? '')})` : '';
};
const lines = (type, line) => literal(type).members.filter((member) => text(member.name) !== '__typename').map(line);
const byName = new Map([...aliases].map(([name, type]) => [name.toLowerCase(), type]));
const field = (owner) => (member) => {
  const name = text(member.name);
  const takes = byName.get(`${owner}${name}Args`.toLowerCase());
  const args = takes ? `(${literal(takes).members.map((own) => `${text(own.name)}: ${written(own.type, input)}`).join(', ')})` : '';
  return `  ${name}${args}: ${written(member.type)}${deprecated(member)}`;
};

const out = [];
const block = (head, body) => out.push(`${head} {\n${body.join('\n')}\n}`);
for (const member of literal(aliases.get('Scalars')).members) {
  const name = text(member.name);
  if (!['ID', 'String', 'Boolean', 'Int', 'Float'].includes(name)) out.push(`scalar ${name}`);
}
for (const [name, type] of [...objects, ...[...interfaces].map((name) => [name, aliases.get(name)])]) {
  const of = above(type).length > 0 ? ` implements ${above(type).join(' & ')}` : '';
  block(`${objects.has(name) ? 'type' : 'interface'} ${real(name)}${of}`, lines(type, field(name)));
}
for (const [name, type] of aliases) {
  if (ts.isUnionTypeNode(type) && type.types.every((one) => ts.isTypeReferenceNode(one) && objects.has(text(one)))) {
    out.push(`union ${name} = ${type.types.map((one) => real(text(one))).join(' | ')}`);
  }
}
for (const name of inputs) {
  const line = (member) => `  ${text(member.name)}: ${written(member.type)}${deprecated(member)}`;
  block(`input ${name}`, lines(aliases.get(name), line));
}
for (const [name, { members }] of enums) {
  block(`enum ${name}`, members.map((member) => `  ${member.initializer.text}${deprecated(member)}`));
}
console.log(out.join('\n\n'));
