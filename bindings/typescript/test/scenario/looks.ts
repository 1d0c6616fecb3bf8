/** Results as JSON, and what they must look like. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Fields = { [key: string]: Json };

/** The fields whose texts are values of enums: JavaScript has no other sign of it. */
const ENUMS = new Set([
  'comparison', 'conflict', 'connection', 'direction', 'kind', 'level', 'live', 'newer', 'older', 'priority', 'role', 'state',
  'status', 'sync_status',
]);

export function snake(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}

export function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

export function pascal(name: string): string {
  return camel(`_${name}`);
}

/** A result as JSON: see bindings/scenario/README.md. */
export function plain(value: unknown, field = ''): Json {
  if (value === undefined || value === null) {
    return null;
  }
  if (typeof value === 'string') {
    return ENUMS.has(field) ? snake(value) : value;
  }
  if (typeof value === 'boolean' || typeof value === 'number') {
    return value;
  }
  if (value instanceof Date) {
    return value.toISOString();
  }
  if (Array.isArray(value)) {
    return value.map((item) => plain(item));
  }
  const { tag, inner, ...rest } = value as { tag?: string; inner?: object };
  const fields: Fields = typeof tag === 'string' ? { is: snake(tag) } : {};
  for (const [name, item] of Object.entries({ ...rest, ...inner })) {
    fields[snake(name)] = plain(item, snake(name));
  }
  return fields;
}

function isObject(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: Json | undefined): string {
  return JSON.stringify(value) ?? 'nothing';
}

function isOnly(fields: Fields, name: string): boolean {
  return Object.keys(fields).length === 1 && name in fields;
}

/** Nothing if the result looks as expected; otherwise what does not. */
export function difference(expected: Json, found: Json, kept: Fields, at = ''): string | undefined {
  const here = at || 'the result';
  if (typeof expected === 'string' && expected.startsWith('$')) {
    expected = kept[expected.slice(1)] ?? null;
  }
  if (isObject(expected) && Object.keys(expected).some((key) => key.startsWith('$'))) {
    return test(expected, found, kept, here);
  }
  if (isObject(expected)) {
    return ofFields(expected, found, kept, at);
  }
  if (Array.isArray(expected)) {
    return ofItems(expected, found, kept, at);
  }
  if (typeof expected === 'string' && isObject(found) && isOnly(found, 'is')) {
    found = found['is'] ?? null;
  }
  return expected === found ? undefined : `${here} is ${shown(found)}, not ${shown(expected)}`;
}

function ofFields(expected: Fields, found: Json, kept: Fields, at: string): string | undefined {
  const here = at || 'the result';
  if (typeof found === 'string' && isOnly(expected, 'is')) {
    found = { is: found };
  }
  if (!isObject(found)) {
    return `${here} is ${shown(found)}, not an object`;
  }
  for (const [key, wanted] of Object.entries(expected)) {
    const value = found[key];
    if (value === undefined) {
      return `${here} has no ${key}`;
    }
    const wrong = difference(wanted, value, kept, at ? `${at}.${key}` : key);
    if (wrong !== undefined) {
      return wrong;
    }
  }
  return undefined;
}

function ofItems(expected: Json[], found: Json, kept: Fields, at: string): string | undefined {
  if (!Array.isArray(found) || found.length !== expected.length) {
    return `${at || 'the result'} is ${shown(found)}, not a list of ${expected.length}`;
  }
  for (const [index, wanted] of expected.entries()) {
    const wrong = difference(wanted, found[index] ?? null, kept, at ? `${at}.${index}` : String(index));
    if (wrong !== undefined) {
      return wrong;
    }
  }
  return undefined;
}

function items(found: Json, here: string): Json[] {
  if (!Array.isArray(found)) {
    throw new Error(`${here} is ${shown(found)}, not a list`);
  }
  return found;
}

function test(expected: Fields, found: Json, kept: Fields, here: string): string | undefined {
  const [name, wanted = null] = Object.entries(expected)[0] as [string, Json];
  const unless = (right: boolean, wrong: string): string | undefined => (right ? undefined : `${here} ${wrong}`);
  switch (name) {
    case '$any':
      return unless(found !== null, 'is nothing');
    case '$at_least':
      return unless(Number(found) >= Number(wanted), `is ${shown(found)}, less than ${shown(wanted)}`);
    case '$at_most':
      return unless(Number(found) <= Number(wanted), `is ${shown(found)}, more than ${shown(wanted)}`);
    case '$at_least_items':
      return unless(items(found, here).length >= Number(wanted), `has ${items(found, here).length} items`);
    case '$contains':
      return unless(String(found).includes(String(wanted)), `is ${shown(found)}, without ${shown(wanted)}`);
    case '$length':
      return unless(items(found, here).length === wanted, `has ${items(found, here).length} items, not ${shown(wanted)}`);
    case '$first':
      return difference(wanted, items(found, here)[0] ?? null, kept, `${here}.0`);
    case '$last':
      return difference(wanted, items(found, here).at(-1) ?? null, kept, `${here}.-1`);
    case '$has': {
      const wrong = items(found, here).map((item, index) => difference(wanted, item, kept, `${here}.${index}`));
      return unless(wrong.includes(undefined), `has nothing that is right: ${wrong.join('; ') || 'it is empty'}`);
    }
    case '$not':
      return unless(difference(wanted, found, kept) !== undefined, `is ${shown(found)}`);
    default:
      throw new Error(`there is no test ${name}`);
  }
}

/** A part of a result: `messages.-1.id`, `[kind=direct].id`, `.` for all of it. */
export function take(path: string, value: Json): Json {
  for (const part of path.split('.').filter((it) => it !== '')) {
    if (part.startsWith('[')) {
      const [key, wanted] = part.slice(1, -1).split('=') as [string, string];
      value = items(value, path).find((item) => isObject(item) && item[key] === wanted) ?? null;
    } else if (Array.isArray(value)) {
      value = value.at(Number(part)) ?? null;
    } else if (isObject(value)) {
      value = value[part] ?? null;
    }
  }
  if (value === null) {
    throw new Error(`there is no ${path}`);
  }
  return value;
}
