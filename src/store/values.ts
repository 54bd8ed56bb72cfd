/** Component values in a record, by the name of their type. Pure; offsets are multiples of the type's size. */

interface Views {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
}

export function readValue(views: Views, at: number, type: string): number {
  switch (type) {
    case 'f64':
      return views.f64[at >> 3];
    case 'f32':
      return views.f32[at >> 2];
    case 'i32':
      return views.i32[at >> 2];
    case 'u32':
      return views.u32[at >> 2];
    case 'u16':
      return views.u16[at >> 1];
    case 'i16':
      return (views.u16[at >> 1] << 16) >> 16;
    case 'i8':
      return (views.u8[at] << 24) >> 24;
    default:
      return views.u8[at];
  }
}

/** Typed arrays take the value as their type does: what was read by `readValue` comes back the same. */
export function writeValue(views: Views, at: number, type: string, value: number): void {
  if (type === 'f64') views.f64[at >> 3] = value;
  else if (type === 'f32') views.f32[at >> 2] = value;
  else if (type === 'i32') views.i32[at >> 2] = value;
  else if (type === 'u32') views.u32[at >> 2] = value;
  else if (type === 'u16' || type === 'i16') views.u16[at >> 1] = value;
  else views.u8[at] = value;
}
