import Stream from "../stream.mjs";

export default Stream.promises;
