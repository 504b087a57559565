export const NAMES =
  "lookup lookupService resolve resolve4 resolve6 resolveAny resolveCname resolveMx resolveNs resolveSrv resolveTxt reverse setServers Resolver";
export const WHY = "a handler has no resolver; fetch takes the names of hosts";
