import util from "./util.mjs";

export default util;
