import assert from "node:assert/strict";
import { test } from "node:test";
import { same } from "./differential.mjs";
import { makeRealm } from "./realm.mjs";

/** Runs in a folder below /tmp that is gone afterwards, on Node's side too. */
const inFolder = (body) =>
  `async (fs, require) => {
    const folder = fs.mkdtempSync("/tmp/fs-test-");
    const clean = (text) => text.replaceAll(folder, "FOLDER");
    try {
      return await (${body})(fs, folder, require, clean);
    } catch (error) {
      return [error.name, error.code, error.errno, error.syscall, clean(error.message), clean(error.path ?? ""), clean(error.dest ?? "")];
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  }`;

const compare = (...bodies) => same("fs", ...bodies.map((body) => (0, eval)(inFolder(body))));

test("files are written, read, appended to, copied and cut as in Node", () =>
  compare(
    (fs, f) => (fs.writeFileSync(`${f}/a`, "héllo"), fs.appendFileSync(`${f}/a`, Buffer.from(" you")), [fs.readFileSync(`${f}/a`, "utf8"), fs.readFileSync(`${f}/a`)]),
    (fs, f) => (fs.writeFileSync(`${f}/a`, "6869", "hex"), fs.copyFileSync(`${f}/a`, `${f}/b`), fs.readFileSync(`${f}/b`, { encoding: "utf8" })),
    (fs, f) => (fs.writeFileSync(`${f}/a`, "abcdef"), fs.truncateSync(`${f}/a`, 3), fs.truncateSync(`${f}/a`, 5), fs.readFileSync(`${f}/a`, "latin1")),
    (fs, f) => (fs.writeFileSync(`${f}/a`, "x"), fs.writeFileSync(`${f}/a`, "y", { flag: "wx" })),
    (fs, f) => (fs.writeFileSync(`${f}/a`, "x"), fs.copyFileSync(`${f}/a`, `${f}/a2`), fs.copyFileSync(`${f}/a`, `${f}/a2`, fs.constants.COPYFILE_EXCL)),
    (fs, f) => fs.readFileSync(`${f}/none`),
    (fs, f) => fs.readFileSync(f),
    (fs, f) => fs.writeFileSync(f, "x"),
    (fs, f) => fs.writeFileSync(`${f}/no/a`, "x"),
    (fs, f) => (fs.writeFileSync(`${f}/a`, "x"), fs.writeFileSync(`${f}/a/b`, "x")),
    (fs) => fs.readFileSync(),
    (fs, f) => fs.writeFileSync(`${f}/a`, 5),
  ));

test("folders", () =>
  compare(
    (fs, f, require, clean) => [clean(fs.mkdirSync(`${f}/a/b/c`, { recursive: true })), fs.mkdirSync(`${f}/a/b`, { recursive: true }), fs.readdirSync(f)],
    (fs, f) => (fs.mkdirSync(`${f}/a/b`, { recursive: true }), fs.writeFileSync(`${f}/a/x`, ""), fs.readdirSync(f, { recursive: true }).sort()),
    (fs, f) => (fs.mkdirSync(`${f}/d`), fs.writeFileSync(`${f}/e`, ""), fs.readdirSync(f, { withFileTypes: true }).map((e) => [e.name, e.isDirectory(), e.isFile()])),
    (fs, f) => fs.mkdirSync(f),
    (fs, f) => fs.mkdirSync(`${f}/a/b`),
    (fs, f) => fs.readdirSync(`${f}/a`),
    (fs, f) => (fs.writeFileSync(`${f}/a`, ""), fs.readdirSync(`${f}/a`)),
    (fs, f) => (fs.mkdirSync(`${f}/a/b`, { recursive: true }), fs.rmdirSync(`${f}/a`)),
    (fs, f) => (fs.mkdirSync(`${f}/a`), fs.rmSync(`${f}/a`, { recursive: true }), fs.rmSync(`${f}/a`, { force: true }), fs.existsSync(`${f}/a`)),
    (fs, f) => fs.rmSync(`${f}/a`),
    (fs, f) => (fs.mkdirSync(`${f}/a/b`, { recursive: true }), fs.writeFileSync(`${f}/a/b/c`, "1"), fs.cpSync(`${f}/a`, `${f}/z`, { recursive: true }), fs.readFileSync(`${f}/z/b/c`, "utf8")),
  ));

test("entries are moved, removed and told of", () =>
  compare(
    (fs, f) => (fs.writeFileSync(`${f}/a`, "1"), fs.writeFileSync(`${f}/b`, "2"), fs.renameSync(`${f}/a`, `${f}/b`), [fs.readdirSync(f), fs.readFileSync(`${f}/b`, "utf8")]),
    (fs, f) => fs.renameSync(`${f}/a`, `${f}/b`),
    (fs, f) => (fs.mkdirSync(`${f}/a`), fs.renameSync(`${f}/a`, `${f}/a/b`)),
    (fs, f) => (fs.writeFileSync(`${f}/a`, "1"), fs.unlinkSync(`${f}/a`), fs.unlinkSync(`${f}/a`)),
    (fs, f) => (fs.writeFileSync(`${f}/a`, "123"), ((s) => [s.size, s.isFile(), s.isDirectory(), s.isSymbolicLink(), s.mtime instanceof Date, s.mode & 0o777])(fs.statSync(`${f}/a`))),
    (fs, f) => [fs.statSync(`${f}/x`, { throwIfNoEntry: false }), typeof fs.statSync(f, { bigint: true }).size],
    (fs, f) => fs.statSync(`${f}/x`),
    (fs, f) => fs.lstatSync(`${f}/x`),
    (fs, f) => fs.accessSync(`${f}/x`),
    (fs, f) => [fs.accessSync(f), fs.existsSync(f), fs.existsSync(`${f}/x`), fs.existsSync(), fs.realpathSync(f) === f],
  ));

test("open files", () =>
  compare(
    (fs, f) => {
      const fd = fs.openSync(`${f}/a`, "w+");
      const seen = [fs.writeSync(fd, "hello"), fs.writeSync(fd, Buffer.from("J"), 0, 1, 0), fs.fstatSync(fd).size];
      const buffer = Buffer.alloc(8);
      seen.push(fs.readSync(fd, buffer, 0, 8, 0), buffer.toString(), fs.readFileSync(fd, "utf8"));
      fs.ftruncateSync(fd, 2);
      fs.closeSync(fd);
      return [...seen, fs.readFileSync(`${f}/a`, "utf8")];
    },
    (fs, f) => fs.openSync(`${f}/x`, "r"),
    (fs, f) => fs.openSync(`${f}/x`, "nope"),
    (fs) => fs.closeSync(9999),
    (fs, f) => (fs.writeFileSync(`${f}/a`, ""), fs.writeSync(fs.openSync(`${f}/a`, "r"), "x")),
  ));

test("callbacks, promises and streams", () =>
  compare(
    (fs, f) => new Promise((resolve) => fs.writeFile(`${f}/a`, "x", () => fs.readFile(`${f}/a`, "utf8", (...results) => resolve(results)))),
    (fs, f) => new Promise((resolve) => fs.readFile(`${f}/a`, (error) => resolve([error.code, error.syscall]))),
    (fs, f) => new Promise((resolve) => fs.exists(f, resolve)),
    (fs, f) => fs.readFile(f),
    async (fs, f) => (await fs.promises.writeFile(`${f}/a`, "x"), [await fs.promises.readFile(`${f}/a`, "utf8"), (await fs.promises.stat(`${f}/a`)).size]),
    async (fs, f) => fs.promises.readFile(`${f}/none`),
    async (fs, f) => {
      const handle = await fs.promises.open(`${f}/a`, "w+");
      await handle.writeFile("12345");
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(3), 0, 3, 1);
      await handle.close();
      return [bytesRead, buffer.toString()];
    },
    (fs, f) =>
      new Promise((resolve, reject) => {
        const out = fs.createWriteStream(`${f}/a`);
        out.on("error", reject).on("finish", () => {
          const seen = [];
          fs.createReadStream(`${f}/a`, { encoding: "utf8", start: 1, end: 5 }).on("data", (chunk) => seen.push(chunk)).on("close", () => resolve([seen, out.bytesWritten]));
        });
        out.write("hello ");
        out.end("you");
      }),
    (fs, f) => new Promise((resolve) => fs.createReadStream(`${f}/x`).on("error", (error) => resolve([error.code, error.syscall]))),
    async (fs, f, require) => {
      fs.writeFileSync(`${f}/a`, "one\ntwo\r\nthree");
      const lines = [];
      for await (const line of require("readline").createInterface({ input: fs.createReadStream(`${f}/a`) })) lines.push(line);
      return lines;
    },
  ));

test("nothing outside /tmp can be written, and there is an end to it", () => {
  const realm = makeRealm();
  const code = (body) => realm.run(`((fs) => { try { ${body} } catch (error) { return error.code + " " + error.message; } })`)(realm.builtin("fs"));
  assert.equal(code("fs.writeFileSync('/a', '')"), "EROFS EROFS: read-only file system, open '/a'");
  assert.equal(code("fs.mkdirSync('/a')"), "EROFS EROFS: read-only file system, mkdir '/a'");
  assert.equal(code("fs.writeFileSync('/a/b', '')"), "ENOENT ENOENT: no such file or directory, open '/a/b'");
  assert.equal(code("fs.rmSync('/tmp', { recursive: true })"), "EROFS EROFS: read-only file system, rm '/tmp'");
  assert.equal(code("fs.writeFileSync('/tmp//../a', '')"), "EROFS EROFS: read-only file system, open '/tmp//../a'");
  assert.equal(code("fs.readFileSync('/etc/passwd')"), "ENOENT ENOENT: no such file or directory, open '/etc/passwd'");
  assert.equal(code("fs.writeFileSync('/tmp/a', Buffer.alloc(33 << 20))"), "ENOSPC ENOSPC: no space left on device, write");
  assert.equal(code("for (let at = 0; ; at += 1) fs.writeFileSync(`/tmp/${at}`, '')"), "ENOSPC ENOSPC: no space left on device, open '/tmp/9999'");
  assert.equal(code("fs.watch('/tmp')").split(":")[0], "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM fs.watch is not available to handlers");
});

test("what is removed makes room", () => {
  const realm = makeRealm();
  const run = (body) => realm.run(`((fs) => { ${body} })`)(realm.builtin("fs"));
  run("for (let round = 0; round < 3; round += 1) { fs.mkdirSync('/tmp/d'); fs.writeFileSync('/tmp//d/a', Buffer.alloc(30 << 20)); fs.rmSync('/tmp/d', { recursive: true }); }");
  run("for (let round = 0; round < 20000; round += 1) { fs.writeFileSync('/tmp/a', 'x'); fs.unlinkSync('/tmp/a'); }");
});

/** The host's side of a handler that has these files. */
function host(files) {
  const paths = Object.keys(files).map((path) => `handler/${path}`);
  const isFolder = (path) => path === "handler" || paths.some((other) => other.startsWith(`${path}/`));
  const ids = [...paths, "handler", "handler/folder"];
  return {
    fileFind: (path) => {
      if (isFolder(path)) return { id: ids.indexOf(path), isFolder: true, size: 0 };
      return paths.includes(path) ? { id: ids.indexOf(path), isFolder: false, size: files[path.slice(8)].length } : undefined;
    },
    fileRead: (id, offset, length) => new TextEncoder().encode(files[ids[id].slice(8)]).slice(offset, offset + length).buffer,
    fileNames: (id) => {
      const below = paths.filter((path) => path.startsWith(`${ids[id]}/`)).map((path) => path.slice(ids[id].length + 1));
      return [...new Set(below.map((path) => path.replace(/\/.*/, "/")))].sort();
    },
  };
}

test("the handler's own files are read where Lambda has them, and nothing writes to them", async () => {
  const realm = makeRealm(undefined, host({ "a.txt": "hello", "folder/b.json": '{"b":1}' }));
  const result = await realm.run(`(async () => {
    const fs = process.getBuiltinModule("fs"), { createRequire } = process.getBuiltinModule("module");
    const code = (run) => { try { return run() ?? "done"; } catch (error) { return error.code; } };
    const chunks = [];
    for await (const chunk of fs.createReadStream("a.txt", { start: 1, highWaterMark: 2 })) chunks.push(chunk.toString());
    const { size, mode, mtimeMs } = fs.statSync("/var/task/a.txt");
    fs.cpSync("folder", "/tmp/copied", { recursive: true });
    return JSON.stringify([
      process.cwd(),
      fs.readFileSync("a.txt", "utf8"),
      fs.readFileSync(new URL("file:///var/task/folder/b.json"), "utf8"),
      fs.readdirSync(".", { recursive: true }),
      fs.readdirSync("/"),
      fs.readdirSync("..", { withFileTypes: true }).map((entry) => [entry.name, entry.isDirectory()]),
      [size, mode, mtimeMs, fs.statSync("folder").isDirectory(), fs.existsSync("folder/c"), fs.realpathSync("folder/../a.txt")],
      chunks.join(""),
      await fs.promises.readFile("/var/task/a.txt", "latin1"),
      [
        () => fs.writeFileSync("a.txt", ""), () => fs.writeFileSync("new.txt", ""), () => fs.appendFileSync("a.txt", ""), () => fs.openSync("a.txt", "r+"),
        () => fs.mkdirSync("new"), () => fs.rmSync("folder", { recursive: true }), () => fs.unlinkSync("a.txt"), () => fs.renameSync("a.txt", "/tmp/a.txt"),
        () => fs.truncateSync("a.txt"), () => fs.chmodSync("a.txt", 0o777), () => fs.accessSync("a.txt", fs.constants.W_OK), () => fs.accessSync("a.txt"),
        () => fs.readFileSync("none"), () => fs.readFileSync("folder"), () => fs.readdirSync("a.txt"), () => fs.readFileSync("a.txt/b"),
      ].map(code),
      fs.readdirSync("/tmp/copied"),
      createRequire("file:///var/task/folder/x.js")("./b.json").b,
      createRequire("/var/task/")("./folder/b").b,
      code(() => createRequire("/var/task/x.js")("./a.txt")),
    ]);
  })()`);
  assert.deepEqual(JSON.parse(result), [
    "/var/task",
    "hello",
    '{"b":1}',
    ["a.txt", "folder", "folder/b.json"],
    ["tmp", "var"],
    [["task", true]],
    [5, 0o100444, 0, true, false, "/var/task/a.txt"],
    "ello",
    "hello",
    [...Array(11).fill("EROFS"), "done", "ENOENT", "EISDIR", "ENOTDIR", "ENOTDIR"],
    ["b.json"],
    1,
    1,
    "MODULE_NOT_FOUND",
  ]);
});

test("a handler without files has an empty folder", () => {
  const realm = makeRealm();
  assert.deepEqual(realm.run(`JSON.stringify(process.getBuiltinModule("fs").readdirSync("/var/task"))`), "[]");
});
