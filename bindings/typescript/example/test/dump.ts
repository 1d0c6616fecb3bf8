/** What is on a screen, as text: a line for each element that is one, in the order in which a person sees them. */

import type { ReactTestRenderer, ReactTestRendererJSON } from 'react-test-renderer';

type Tree = ReactTestRendererJSON | string | (ReactTestRendererJSON | string)[] | null;

export function dump(renderer: ReactTestRenderer): string {
  const lines: string[] = [];
  walk(renderer.toJSON() as Tree, lines, undefined);
  // Days differ from run to run.
  return `${lines.map((line) => line.replace(/\d{4}-\d\d-\d\d/g, 'YYYY-MM-DD').trimEnd()).filter(Boolean).join('\n')}\n`;
}

function walk(tree: Tree, lines: string[], line: string[] | undefined): void {
  if (tree === null) {
    return;
  }
  if (typeof tree === 'string') {
    (line ?? lines).push(tree);
  } else if (Array.isArray(tree)) {
    tree.forEach((child) => walk(child, lines, line));
  } else if (tree.props['testID'] === 'line' && line === undefined) {
    const words: string[] = [];
    walk(tree.children, lines, words);
    lines.push(words.filter((word) => word !== '').join(' '));
  } else if (tree.props['testID'] === 'text') {
    (line ?? lines).push(`[${tree.props['value'] || tree.props['placeholder']}]`);
  } else if (tree.props['testID'] === 'thread' || tree.props['inverted']) {
    // An inverted list is drawn upside down.
    const below: string[] = [];
    walk(tree.children, below, line);
    lines.push(...below.reverse());
  } else {
    walk(tree.children, lines, line);
  }
}
