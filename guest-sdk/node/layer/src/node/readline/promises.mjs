import readline from "../readline.mjs";

class Interface extends readline.Interface {
  question(query) {
    return new Promise((resolve) => super.question(query, resolve));
  }
}

export default { Interface, createInterface: (options, output) => new Interface(options, output) };
