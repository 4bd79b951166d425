// What csp_evaluator says of the policy in the last argument, as JSON; the first is where it lies.
import { createRequire } from "node:module";

const [, , folder, policy] = process.argv;
const require = createRequire(`${folder}/`);
const { CspEvaluator } = require("csp_evaluator/dist/evaluator.js");
const { CspParser } = require("csp_evaluator/dist/parser.js");
const { Severity } = require("csp_evaluator/dist/finding.js");

const findings = new CspEvaluator(new CspParser(policy).csp).evaluate();
console.log(JSON.stringify(findings.map(({ severity, directive, value, description }) => (
  { severity: Severity[severity], directive, value, description }
))));
