export { default } from "unenv/node/url";
