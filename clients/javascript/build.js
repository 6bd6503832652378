/**
 * Makes what require() loads: dist/index.cjs, with each module of src as a function, and its types.
 * Modules import and export as src does it: names in braces, and `* as`; anything else is refused.
 */

import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';

const src = new URL('src/', import.meta.url);
const dist = new URL('dist/', import.meta.url);

const IMPORT = /^(import|export) (?:(\{[^}]*\})|\* as (\w+)) from '\.\/(.+)';$/gm;
const EXPORT = /^export ((?:async )?(?:function\*?|class|const) (\w+))/gm;

function commonJs(name, source) {
  const exported = [];
  const body = source
    .replace(IMPORT, (_, kind, names, namespace, module) => {
      if (kind === 'export' && names) exported.push(...namesIn(names));
      else if (kind === 'export') exported.push(namespace);
      return `const ${names ?? namespace} = load('${module}');`;
    })
    .replace(EXPORT, (_, declaration, declared) => {
      exported.push(declared);
      return declaration;
    });
  const left = /^(import|export)\b.*/m.exec(body);
  if (left) throw new Error(`${name} has what build.js does not know: ${left[0]}`);
  return `'${name}'() {\n${body}\nreturn { ${exported.join(', ')} };\n},\n`;
}

function namesIn(braces) {
  return braces.match(/\w+/g);
}

const names = readdirSync(src).filter((name) => name.endsWith('.js'));
const modules = names.map((name) => commonJs(name, readFileSync(new URL(name, src), 'utf8')));
mkdirSync(dist, { recursive: true });
writeFileSync(
  new URL('index.cjs', dist),
  `'use strict';
// Made by build.js from src.
const modules = {
${modules.join('')}};
const loaded = {};
const load = (name) => (loaded[name] ??= modules[name]());
module.exports = load('index.js');
`,
);
copyFileSync(new URL('index.d.ts', src), new URL('index.d.cts', dist));
