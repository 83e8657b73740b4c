/// C functions that several layers call; only those that are called are written. `@` stands for the file's prefix.
enum Helper: Int, CaseIterable, Comparable {
  case fma, code, dot, dot16, window, gather, spread, range, round, whole, clamp, power, exp, tanh, erf, sigmoid, root,
    softmax, product

  static func < (a: Helper, b: Helper) -> Bool { a.rawValue < b.rawValue }

  /// What it calls itself.
  var needs: [Helper] {
    switch self {
    case .exp: [.fma, .round, .power]
    case .tanh, .erf: [.fma, .exp]
    case .sigmoid, .softmax: [.exp]
    case .product: [.fma]
    case .range: [.code]
    case .gather, .spread: [.window]
    default: []
    }
  }

  var text: String {
    switch self {
    case .fma:
      """
      /* a * b + c, rounded once where the machine has an instruction for it. */
      #if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__) || defined(FP_FAST_FMAF)
      static inline float @fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
      #else
      static inline float @fma(float a, float b, float c) { return a * b + c; }
      #endif
      """
    case .code:
      """
      /* The code of a number in steps of the result's scale: rounded to nearest even, plus the zero point, clamped.
         Clamped first, which rounding commutes with, so that adding 1.5 * 2^23 rounds. NaN gives the least. */
      static inline uint8_t @code(float x, int32_t zero, int32_t low, int32_t high) {
        const float least = (float)(low - zero), most = (float)(high - zero);
        x = x > least ? x : least;
        x = x < most ? x : most;
        return (uint8_t)((int32_t)(x + 12582912.0f) - 12582912 + zero);
      }
      """
    case .dot:
      """
      static inline int32_t @dot(const uint8_t *x, const int8_t *w, int32_t count) {
        int32_t sum = 0;
        for (int32_t i = 0; i < count; i++) sum += (int32_t)x[i] * w[i];
        return sum;
      }
      """
    case .dot16:
      """
      /* Of weights with a zero point, which is taken off. */
      static inline int32_t @dot16(const uint8_t *x, const int16_t *w, int32_t count) {
        int32_t sum = 0;
        for (int32_t i = 0; i < count; i++) sum += (int32_t)x[i] * w[i];
        return sum;
      }
      """
    case .window:
      """
      /* An image and the windows that go over it: `depth` of `channels` are taken, `zero` where there is no image. */
      typedef struct {
        int32_t height, width, channels, depth, rows, columns, row_step, column_step;
        uint8_t zero;
      } @window;
      """
    case .gather:
      """
      /* What lies under the window whose first pixel is at `top`, `left`; the channels begin where `in` points. */
      static void @gather(const uint8_t *in, int32_t top, int32_t left, const @window *w, uint8_t *restrict patch) {
        const int32_t line = w->columns * w->depth;
        for (int32_t i = 0; i < w->rows; i++, patch += line) {
          const int32_t row = top + i * w->row_step;
          if (row < 0 || row >= w->height) {
            memset(patch, w->zero, (size_t)line);
          } else if (w->depth == w->channels && w->column_step == 1 && left >= 0 && left + w->columns <= w->width) {
            memcpy(patch, in + (row * w->width + left) * w->channels, (size_t)line);
          } else {
            for (int32_t k = 0; k < w->columns; k++) {
              const int32_t column = left + k * w->column_step;
              uint8_t *to = patch + k * w->depth;
              if (column < 0 || column >= w->width) {
                memset(to, w->zero, (size_t)w->depth);
              } else {
                memcpy(to, in + (row * w->width + column) * w->channels, (size_t)w->depth);
              }
            }
          }
        }
      }
      """
    case .spread:
      """
      /* The same of an image whose pixels are seen so many rows and columns apart, zeros between them. */
      static void @gather_spread(const uint8_t *in, int32_t top, int32_t left, const @window *w, int32_t apart_down,
                                 int32_t apart_across, uint8_t *restrict patch) {
        memset(patch, w->zero, (size_t)(w->rows * w->columns * w->depth));
        for (int32_t i = 0; i < w->rows; i++) {
          const int32_t row = top + i * w->row_step;
          if (row < 0 || row % apart_down != 0 || row / apart_down >= w->height) continue;
          for (int32_t k = 0; k < w->columns; k++) {
            const int32_t column = left + k * w->column_step;
            if (column < 0 || column % apart_across != 0 || column / apart_across >= w->width) continue;
            memcpy(patch + (i * w->columns + k) * w->depth,
                   in + (row / apart_down * w->width + column / apart_across) * w->channels, (size_t)w->depth);
          }
        }
      }
      """
    case .range:
      """
      /* Codes of numbers over their own range, zero included; returns the scale. */
      static float @range(const float *x, int32_t count, uint8_t *restrict codes, int32_t *zero) {
        float low = x[0], high = x[0];
        int32_t known = 1;
        for (int32_t i = 0; i < count; i++) {
          known = known && x[i] == x[i];
          low = x[i] < low ? x[i] : low;
          high = x[i] > high ? x[i] : high;
        }
        low = known && low < 0.0f ? low : 0.0f;
        high = known && high > 0.0f ? high : 0.0f;
        float scale = high / 255.0f - low / 255.0f;
        *zero = 0;
        if (scale >= FLT_MIN * 255 && scale <= FLT_MAX) {
          const float place = ((0.0f - low) / scale + 12582912.0f) - 12582912.0f;
          *zero = (int32_t)(place < 255.0f ? place : 255.0f);
        } else {
          scale = 1.0f;
        }
        const float inverse = 1.0f / scale;
        for (int32_t i = 0; i < count; i++) codes[i] = @code(x[i] * inverse, *zero, 0, 255);
        return scale;
      }
      """
    case .round:
      """
      /* To nearest even, of what is smaller than 2^22. */
      static inline float @round(float x) { return (x + 12582912.0f) - 12582912.0f; }
      """
    case .whole:
      """
      /* To an integer: down (-1), up (1) or to nearest even (0); zeros keep their sign. */
      static float @whole(float x, int32_t way) {
        if (!(x < 8388608.0f && x > -8388608.0f)) return x;
        float y = x < 0.0f ? (x - 8388608.0f) + 8388608.0f : (x + 8388608.0f) - 8388608.0f;
        if (way < 0 && y > x) y -= 1.0f;
        if (way > 0 && y < x) y += 1.0f;
        return y == 0.0f ? x * 0.0f : y;
      }
      """
    case .clamp:
      """
      static inline float @clamp(float x, float low, float high) { return x < low ? low : x > high ? high : x; }
      """
    case .power:
      """
      static inline float @power_of_two(float n) {
        const uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
        float power;
        memcpy(&power, &bits, sizeof power);
        return power;
      }
      """
    case .exp:
      """
      /* Off by at most 1 unit in the last place. */
      static float @exp(float x) {
        if (x != x) return x;
        const float c = x < -105.0f ? -105.0f : x > 90.0f ? 90.0f : x;
        const float n = @round(c * 1.44269504088896341f);
        const float r = @fma(n, 2.12194440e-4f, @fma(n, -0.693359375f, c));
        float p = 0.00019790309306699783f;
        p = @fma(p, r, 0.0013944660313427448f);
        p = @fma(p, r, 0.008333496749401093f);
        p = @fma(p, r, 0.04166629537940025f);
        p = @fma(p, r, 0.1666666567325592f);
        p = @fma(p, r, 0.5f);
        const float y = 1.0f + @fma(r * r, p, r), half = @round(n * 0.5f);
        return y * @power_of_two(half) * @power_of_two(n - half);
      }
      """
    case .tanh:
      """
      static float @tanh(float x) {
        const float size = x < 0.0f ? -x : x;
        if (size > 0.625f) {
          const float t = 1.0f - 2.0f / (@exp(2.0f * size) + 1.0f);
          return x < 0.0f ? -t : t;
        }
        const float z = x * x;
        float p = -0.005717018153518438f;
        p = @fma(p, z, 0.020650560036301613f);
        p = @fma(p, z, -0.05374348908662796f);
        p = @fma(p, z, 0.13331490755081177f);
        p = @fma(p, z, -0.3333328366279602f);
        return @fma(x * z, p, x);
      }
      """
    case .erf:
      """
      static float @erf(float x) {
        const float size = x < 0.0f ? -x : x;
        if (size > 1.0f) {
          const float c = size < 4.0f ? size : 4.0f;
          float p = -0.0001855769514804706f;
          p = @fma(p, c, 0.0029396354220807552f);
          p = @fma(p, c, -0.021805427968502045f);
          p = @fma(p, c, 0.10303758829832077f);
          p = @fma(p, c, 0.6382254362106323f);
          p = @fma(p, c, 1.127040147781372f);
          p = @fma(p, c, 0.00035368441604077816f);
          const float t = 1.0f - @exp(0.0f - p);
          return x < 0.0f ? -t : t;
        }
        const float z = x * x;
        float p = 7.853850547689945e-05f;
        p = @fma(p, z, -0.0008010190213099122f);
        p = @fma(p, z, 0.00518832728266716f);
        p = @fma(p, z, -0.026853810995817184f);
        p = @fma(p, z, 0.1128358542919159f);
        p = @fma(p, z, -0.3761262595653534f);
        p = @fma(p, z, 1.1283791065216064f);
        return x * p;
      }
      """
    case .sigmoid:
      """
      static inline float @sigmoid(float x) { return 1.0f / (1.0f + @exp(0.0f - x)); }
      """
    case .root:
      """
      /* The square root, rounded to nearest: its digits one by one. */
      static float @root(float x) {
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        if (!(x > 0.0f)) return x == 0.0f || x != x ? x : (x - x) / (x - x);
        if (bits == 0x7F800000u) return x;
        int32_t exponent = (int32_t)(bits >> 23);
        uint32_t mantissa = bits & 0x7FFFFFu;
        if (exponent == 0) {
          for (exponent = 1; !(mantissa & 0x800000u); exponent--) mantissa <<= 1;
        } else {
          mantissa |= 0x800000u;
        }
        exponent -= 127;
        if (exponent & 1) {
          mantissa <<= 1;
          exponent -= 1;
        }
        uint64_t rest = (uint64_t)mantissa << 25, root = 0;
        for (uint64_t digit = (uint64_t)1 << 48; digit != 0; digit >>= 2) {
          if (rest >= root + digit) {
            rest -= root + digit;
            root = (root >> 1) + digit;
          } else {
            root >>= 1;
          }
        }
        bits = ((uint32_t)(exponent / 2 + 127) << 23) + (uint32_t)((root >> 1) + (root & 1)) - 0x800000u;
        memcpy(&x, &bits, sizeof x);
        return x;
      }
      """
    case .softmax:
      """
      /* Of a row; returns the sum of the powers, `greatest` the greatest of the row. */
      static float @powers(const float *in, int32_t count, float *out, float *greatest) {
        float most = in[0], sum = 0.0f;
        for (int32_t i = 1; i < count; i++) most = in[i] > most ? in[i] : most;
        for (int32_t i = 0; i < count; i++) {
          out[i] = @exp(in[i] - most);
          sum += out[i];
        }
        *greatest = most;
        return sum;
      }
      """
    case .product:
      """
      /* One chain of multiply-adds from zero on; `step` from one element of b to the next. */
      static inline float @product(const float *a, const float *b, int32_t count, int32_t step) {
        float sum = 0.0f;
        for (int32_t i = 0; i < count; i++) sum = @fma(a[i], b[i * step], sum);
        return sum;
      }
      """
    }
  }
}
