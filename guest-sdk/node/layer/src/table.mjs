// `console.table`, drawn as Node draws it. No package does this alone.

import { show } from "./format.mjs";

const INDEX = "(index)";
const ITERATION = "(iteration index)";
const VALUES = "Values";
const KEY = "Key";

const CELL = { depth: 1, maxArrayLength: 3, breakLength: Infinity };

export function table(data, onlyColumns) {
  const { indexName, rows } = rowsOf(data);
  const columns = new Set(rows.flatMap(({ cells }) => Object.keys(cells)));
  const wanted = onlyColumns ?? columns;
  const head = [indexName, ...wanted];
  let hasValues = false;
  const body = rows.map(({ index, cells, value }) => {
    if (value !== undefined) hasValues = true;
    const shown = [...wanted].map((column) => (Object.hasOwn(cells, column) ? show(cells[column], CELL) : ""));
    return { line: [index, ...shown], value };
  });
  if (hasValues) head.push(VALUES);
  return draw(head, body.map(({ line, value }) => (hasValues ? [...line, value ?? ""] : line)));
}

/** A row has cells if it is an object, and a value if it is not. */
function row(index, item, before = {}) {
  const isObject = typeof item === "object" && item !== null;
  return { index: `${index}`, cells: isObject ? { ...before, ...item } : before, value: isObject ? undefined : show(item, CELL) };
}

function rowsOf(data) {
  if (data instanceof Map) {
    return { indexName: ITERATION, rows: [...data].map(([key, value], at) => row(at, value, { [KEY]: key })) };
  }
  if (data instanceof Set) return { indexName: ITERATION, rows: [...data].map((value, at) => row(at, value)) };
  return { indexName: INDEX, rows: Object.entries(data).map(([index, item]) => row(index, item)) };
}

function draw(head, body) {
  const widths = head.map((title, at) => Math.max(title.length, ...body.map((line) => line[at].length)) + 2);
  const rule = (left, middle, right) => left + widths.map((width) => "─".repeat(width)).join(middle) + right;
  const line = (cells) => `│${cells.map((cell, at) => ` ${cell}`.padEnd(widths[at])).join("│")}│`;
  return [rule("┌", "┬", "┐"), line(head), rule("├", "┼", "┤"), ...body.map(line), rule("└", "┴", "┘")].join("\n");
}
