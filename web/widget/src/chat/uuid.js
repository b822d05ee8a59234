/** A version 4 UUID, as the address of a blob ends in: crypto.randomUUID() wants TLS. */
export function uuid() {
  const address = URL.createObjectURL(new Blob());
  URL.revokeObjectURL(address);
  return address.slice(-36);
}
