// Prints what an app can name of the compiled package, with its types.
//
//     node surface.mjs

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..');
const entries = { fieldpost: 'dist/index.d.ts', 'fieldpost/react': 'dist/react/index.d.ts' };
const files = Object.values(entries).map((file) => join(folder, file));
const program = ts.createProgram(files, {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.CommonJS,
  moduleResolution: ts.ModuleResolutionKind.Node10,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  types: ['node'],
  typeRoots: [join(folder, 'node_modules/@types')],
});
const checker = program.getTypeChecker();
const { TypeFormatFlags: Format, SymbolFlags, ModifierFlags } = ts;
const lines = [];

function shown(type, flags = 0) {
  return checker.typeToString(type, undefined, Format.NoTruncation | Format.UseAliasDefinedOutsideCurrentScope | flags);
}

function typeOf(symbol) {
  return checker.getTypeOfSymbol(symbol);
}

function isOurs(declaration) {
  return declaration.getSourceFile().fileName.startsWith(join(folder, 'dist')) || declaration.getSourceFile().fileName.includes('/@ubjs/');
}

function isPublic(symbol) {
  const hidden = (declaration) =>
    ts.getCombinedModifierFlags(declaration) & (ModifierFlags.Private | ModifierFlags.Protected) || ts.isPrivateIdentifier(declaration.name ?? declaration);
  const declarations = symbol.declarations ?? [];
  // What the generator needs for itself has symbols as names. What every error of JavaScript has is left out.
  const named = !symbol.name.startsWith('__') || symbol.name.startsWith('__@asyncIterator');
  return named && symbol.name !== 'prototype' && declarations.some(isOurs) && !declarations.some(hidden);
}

function member(symbol, prefix = '') {
  const type = typeOf(symbol);
  const name = symbol.name.startsWith('__@asyncIterator') ? '[Symbol.asyncIterator]' : symbol.name;
  const calls = type.getCallSignatures();
  const optional = symbol.flags & SymbolFlags.Optional ? '?' : '';
  if (calls.length > 0) {
    calls.forEach((call) => lines.push(`    ${prefix}${name}${optional}${checker.signatureToString(call, undefined, Format.NoTruncation)}`));
  } else {
    lines.push(`    ${prefix}${name}${optional}: ${shown(type)}`);
  }
}

function members(type, prefix) {
  checker.getPropertiesOfType(type).filter(isPublic).forEach((symbol) => member(symbol, prefix));
}

/** The compiler has the members of a union in the order in which it met them. */
function union(type) {
  const literals = type.isUnion() && type.types.every((one) => one.isStringLiteral());
  return literals ? type.types.map((one) => `'${one.value}'`).sort().join(' | ') : shown(type, Format.InTypeAlias);
}

/** A variant of a union: its tag, and what is in it. */
function variant(type) {
  const inner = type.getProperty('inner');
  const fields = inner === undefined ? '' : ` ${shown(typeOf(inner), Format.InTypeAlias).replace(/^Readonly<(.*)>$/, '$1')}`;
  return `    ${shown(typeOf(type.getProperty('tag'))).replaceAll('"', '')}${fields}`;
}

function declared(symbol) {
  const { name } = symbol;
  if (symbol.flags & SymbolFlags.Class) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const [base] = checker.getBaseTypes(type);
    lines.push(`class ${shown(type)}${base?.symbol?.name === 'Error' || base?.symbol?.name.endsWith('Error') ? ` extends ${base.symbol.name}` : ''}`);
    members(typeOf(symbol), 'static ');
    members(type);
    return;
  }
  if (symbol.flags & SymbolFlags.Function) {
    typeOf(symbol).getCallSignatures().forEach((call) =>
      lines.push(`function ${name}${checker.signatureToString(call, undefined, Format.NoTruncation)}`));
  }
  if (symbol.flags & SymbolFlags.Variable) {
    const names = checker.getPropertiesOfType(typeOf(symbol)).map((one) => one.name);
    lines.push(names.length > 0 && typeOf(symbol).flags & ts.TypeFlags.Object ? `const ${name} { ${names.join(', ')} }` : `const ${name}: ${shown(typeOf(symbol))}`);
  }
  if (symbol.flags & (SymbolFlags.TypeAlias | SymbolFlags.Interface)) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const variants = type.isUnion() && type.types.every((one) => one.getProperty('tag') !== undefined) ? type.types : [];
    const isRecord = type.flags & ts.TypeFlags.Object || type.isIntersection() && checker.getPropertiesOfType(type).length < 40;
    if (variants.length > 0) {
      lines.push(`type ${name}`);
      lines.push(...variants.map(variant).sort());
    } else if (isRecord && !type.getProperty('charAt')) {
      lines.push(`type ${name}`);
      members(type);
    } else {
      lines.push(`type ${name} = ${union(type)}`);
    }
  }
}

for (const [module, file] of Object.entries(entries)) {
  lines.push(`── ${module}`);
  const source = program.getSourceFile(join(folder, file));
  const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(source));
  const resolved = symbols.map((symbol) => [symbol.name, symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol]);
  resolved.sort(([one], [other]) => (one < other ? -1 : 1));
  resolved.filter(([name]) => name !== 'default').forEach(([, symbol]) => declared(symbol));
}
// What may be left out may be undefined; once is enough.
const text = lines.join('\n').replace(/(\?: [\w<>[\]. |"']+?) \| undefined/g, '$1');
process.stdout.write(`${text}\n`);
