// `console.table`, drawn as Node draws it. No package does this alone.

import { show } from "./format.mjs";

const INDEX = "(index)";
const ITERATION = "(iteration index)";
const VALUES = "Values";
const KEY = "Key";

const CELL = { depth: 1, maxArrayLength: 3, breakLength: Infinity };

/** `onlyColumns`: the columns to show, if not all. */
export function table(data, onlyColumns) {
  const { indexTitle, rows } = rowsOf(data);
  const columns = new Set(onlyColumns ?? rows.flatMap(({ cells }) => Object.keys(cells)));
  const head = [indexTitle, ...columns];
  const body = rows.map(({ index, cells }) => [index, ...Array.from(columns, (column) => showCell(cells, column))]);
  // What is no object has no columns: its value stands in one of its own, which comes last.
  if (rows.some(({ value }) => value !== undefined)) {
    head.push(VALUES);
    rows.forEach(({ value }, at) => body[at].push(value ?? ""));
  }
  return draw(head, body);
}

function rowsOf(data) {
  const item = (value, at, cells = {}) => ({ index: `${at}`, cells, value: show(value, CELL) });
  if (data instanceof Map) {
    return { indexTitle: ITERATION, rows: Array.from(data, ([key, value], at) => item(value, at, { [KEY]: key })) };
  }
  if (data instanceof Set) return { indexTitle: ITERATION, rows: Array.from(data, (value, at) => item(value, at)) };
  return { indexTitle: INDEX, rows: Object.entries(data).map(([index, item]) => row(index, item)) };
}

function row(index, item) {
  const isObject = typeof item === "object" && item !== null;
  return isObject ? { index, cells: item } : { index, cells: {}, value: show(item, CELL) };
}

function showCell(cells, column) {
  return Object.hasOwn(cells, column) ? show(cells[column], CELL) : "";
}

function draw(head, body) {
  const widths = head.map((title, at) => Math.max(title.length, ...body.map((line) => line[at].length)) + 2);
  const rule = (left, middle, right) => left + widths.map((width) => "─".repeat(width)).join(middle) + right;
  const line = (cells) => `│${cells.map((cell, at) => ` ${cell}`.padEnd(widths[at])).join("│")}│`;
  const lines = [rule("┌", "┬", "┐"), line(head), rule("├", "┼", "┤"), ...body.map(line), rule("└", "┴", "┘")];
  return lines.join("\n");
}
