/** Which query parameters of a URL only sign it. Two signed URLs of one object must be one task, and two objects must
 *  never be: so a set of parameters is dropped only when the profile's own marker is there (`st=2` alone is content,
 *  `st` beside `sig`, `sv` and `sr` is an Azure signature). Names are matched without regard to case.
 *  Sets: the signed-URL table of the design's integration notes, section 6. */

export interface SignatureProfile {
  readonly name: string;
  /** All of these must be present for the profile to apply. */
  readonly markers: readonly string[];
  /** Dropped for identity: the signature, who signed, when and for how long. */
  readonly parameters: readonly string[];
  /** Whether the signature covers the method, so that a URL signed for GET answers 403 to HEAD. */
  readonly coversMethod: boolean;
}

/** What SDKs add and sign without a meaning for the content, and who asked, as the Hugging Face Hub adds it. */
const SIGV4_EXTRAS = ["x-id", "x-amz-checksum-mode", "x-amz-checksum-crc32", "x-xet-cas-uid"];

/** Of any kind of shared access signature of Azure. */
const AZURE_PARAMETERS = [
  "sv",
  "st",
  "se",
  "sr",
  "sp",
  "spr",
  "sip",
  "si",
  "ss",
  "srt",
  "sdd",
  "ses",
  "sig",
  "rscc",
  "rscd",
  "rsce",
  "rscl",
  "rsct",
  "skt",
  "ske",
  "skoid",
  "sktid",
  "sks",
  "skv",
  "saoid",
  "suoid",
  "scid",
  // GitHub adds its own proof to the signature of the storage account behind its releases.
  "jwt",
];

export const SIGNATURE_PROFILES: readonly SignatureProfile[] = [
  {
    name: "s3-v4",
    markers: ["x-amz-signature"],
    parameters: [
      "x-amz-algorithm",
      "x-amz-credential",
      "x-amz-date",
      "x-amz-expires",
      "x-amz-signedheaders",
      "x-amz-signature",
      "x-amz-security-token",
      "x-amz-user-agent",
      "x-amz-content-sha256",
      "x-amz-s3session-token",
      "x-amz-region-set",
      ...SIGV4_EXTRAS,
    ],
    coversMethod: true,
  },
  {
    name: "s3-v2",
    markers: ["awsaccesskeyid", "signature"],
    parameters: ["awsaccesskeyid", "expires", "signature", "x-amz-security-token"],
    coversMethod: true,
  },
  {
    name: "gcs-v4",
    markers: ["x-goog-signature"],
    parameters: [
      "x-goog-algorithm",
      "x-goog-credential",
      "x-goog-date",
      "x-goog-expires",
      "x-goog-signedheaders",
      "x-goog-signature",
      "x-goog-content-sha256",
    ],
    coversMethod: true,
  },
  {
    name: "gcs-v2",
    markers: ["googleaccessid", "signature"],
    parameters: ["googleaccessid", "expires", "signature"],
    coversMethod: true,
  },
  // Short names, which a page may have for its own: what a signature is for (`sr`, or `ss` for an account) is never left out.
  { name: "azure-sas", markers: ["sig", "sv", "sr"], parameters: AZURE_PARAMETERS, coversMethod: false },
  { name: "azure-account-sas", markers: ["sig", "sv", "ss"], parameters: AZURE_PARAMETERS, coversMethod: false },
  {
    name: "oss-v1",
    markers: ["ossaccesskeyid", "signature"],
    parameters: ["ossaccesskeyid", "expires", "signature", "security-token", "securitytoken"],
    coversMethod: true,
  },
  {
    name: "oss-v4",
    markers: ["x-oss-signature"],
    parameters: [
      "x-oss-date",
      "x-oss-expires",
      "x-oss-signature",
      "x-oss-credential",
      "x-oss-security-token",
      "x-oss-signature-version",
      "x-oss-additional-headers",
    ],
    coversMethod: true,
  },
  {
    name: "obs",
    markers: ["accesskeyid", "signature"],
    parameters: ["accesskeyid", "expires", "signature", "x-obs-security-token", "x-obs-date"],
    coversMethod: true,
  },
  {
    name: "cos",
    markers: ["q-signature"],
    parameters: [
      "q-sign-algorithm",
      "q-ak",
      "q-sign-time",
      "q-key-time",
      "q-header-list",
      "q-url-param-list",
      "q-signature",
      "x-cos-security-token",
    ],
    coversMethod: true,
  },
  {
    name: "cloudfront",
    markers: ["key-pair-id", "signature"],
    parameters: ["key-pair-id", "signature", "policy", "expires", "hash-algorithm", "x-xet-cas-uid"],
    coversMethod: false,
  },
  { name: "akamai-hdnts", markers: ["hdnts"], parameters: ["hdnts"], coversMethod: false },
  { name: "akamai-hdnea", markers: ["hdnea"], parameters: ["hdnea"], coversMethod: false },
];

/** The profiles whose markers are all among `names` (any case). */
export function signatureProfilesOf(names: Iterable<string>): SignatureProfile[] {
  const present = new Set<string>();
  for (const name of names) present.add(name.toLowerCase());
  return SIGNATURE_PROFILES.filter((profile) => profile.markers.every((marker) => present.has(marker)));
}
