import assert from "../assert.mjs";

export default assert.strict;
