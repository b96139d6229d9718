// Prints the methods of Slack's Web API that `@slack/web-api` has types for, each with the names of its arguments, as JSON:
// `{"chat.postMessage": ["blocks", "channel", ..], ..}`. The TypeScript compiler reads the types; nothing of them is kept.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ts from "typescript";

const require = createRequire(import.meta.url);
const types = join(dirname(require.resolve("@slack/web-api/package.json")), "dist", "methods.d.ts");
const program = ts.createProgram([types], { skipLibCheck: true, noEmit: true, strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext });
const checker = program.getTypeChecker();
const source = program.getSourceFile(types);
if (!source) throw new Error(`${types} is not there`);

/** The names of all members that some form of the arguments has. */
function members(type) {
  const forms = type.isUnion() ? type.types : [type];
  return forms.flatMap((form) => (form.isUnion() ? members(form) : checker.getPropertiesOfType(form).map((member) => member.name)));
}

const found = {};
/** Goes down `chat.postMessage` until something can be called. */
function walk(type, path) {
  const [signature] = type.getCallSignatures();
  if (signature) {
    const [first] = signature.getParameters();
    const names = first ? members(checker.getTypeOfSymbolAtLocation(first, source)) : [];
    found[path.join(".")] = [...new Set(names)].sort();
    return;
  }
  for (const member of checker.getPropertiesOfType(type)) {
    if (path.length < 5) walk(checker.getTypeOfSymbolAtLocation(member, source), [...path, member.name]);
  }
}

const methods = checker.getExportsOfModule(checker.getSymbolAtLocation(source)).find((symbol) => symbol.name === "Methods");
walk(checker.getDeclaredTypeOfSymbol(methods), []);
process.stdout.write(JSON.stringify(found));
