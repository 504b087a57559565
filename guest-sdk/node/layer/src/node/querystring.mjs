export { default } from "unenv/node/querystring";
