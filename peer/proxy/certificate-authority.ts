import "reflect-metadata";
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** PEM of a certificate and of the key it is for. The key is a secret. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;
const AUTHORITY_LIFE_MS = 3650 * DAY_MS;
/** Shorter than the longest that clients take (398 days). */
const LEAF_LIFE_MS = 90 * DAY_MS;
/** Clocks differ. */
const BACKDATED_MS = DAY_MS;

/** A new authority of one's own. @param name for people, such as `Pantala CA of host-7` */
export async function createAuthority(name: string, nowMs: number): Promise<CertifiedKey> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ CN: [name] }],
    notBefore: new Date(nowMs - BACKDATED_MS),
    notAfter: new Date(nowMs + AUTHORITY_LIFE_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await pemOf(keys.privateKey) };
}

/** Signs certificates for the names of hosts. */
export class CertificateAuthority {
  readonly #certificate: X509Certificate;
  readonly #key: CryptoKey;

  private constructor(certificate: X509Certificate, key: CryptoKey) {
    this.#certificate = certificate;
    this.#key = key;
  }

  /** @throws Error when they are no certificate of an authority and its EC key on P-256 */
  static async load({ certificate, key }: CertifiedKey): Promise<CertificateAuthority> {
    const parsed = new X509Certificate(certificate);
    if (parsed.getExtension(BasicConstraintsExtension)?.ca !== true) throw new Error("it is not of an authority");
    const raw = PemConverter.decodeFirst(key);
    const loaded = await crypto.subtle.importKey("pkcs8", raw, ALGORITHM, false, ["sign"]);
    return new CertificateAuthority(parsed, loaded);
  }

  /** Of the whole chain, the authority last. @param hostname name or address */
  async certify(hostname: string, nowMs: number): Promise<CertifiedKey> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const leaf = await X509CertificateGenerator.create({
      serialNumber: newSerial(),
      // A common name has at most 64 characters; clients look at the alternative name.
      subject: [{ CN: [hostname.slice(0, 64)] }],
      issuer: this.#certificate.subjectName,
      notBefore: new Date(nowMs - BACKDATED_MS),
      notAfter: new Date(Math.min(nowMs + LEAF_LIFE_MS, this.#certificate.notAfter.getTime())),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#key,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension([{ type: isIP(hostname) === 0 ? "dns" : "ip", value: hostname }]),
        await AuthorityKeyIdentifierExtension.create(this.#certificate),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const chain = `${leaf.toString("pem")}\n${this.#certificate.toString("pem")}\n`;
    return { certificate: chain, key: await pemOf(keys.privateKey) };
  }
}

async function pemOf(key: CryptoKey): Promise<string> {
  return PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** 16 bytes, positive. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}
