// The gradient of x where it has few channels: for each row of dx, products of the rows of dy that
// meet it by (F, KW*C) weights, summed over the rows of taps in registers; then each pixel of dx
// gathers its taps from them. Panels are filled by taps and channels together, no product is spent
// on a halo, and a stride needs no phases.
// dy (N,OD,OH,OW,F)  w (KD*KH, F, KW*C) in panels  dx (N,D,H,W,C); units: a row of some images.
#include "cpu/conv_window.h"

namespace hb::HB_ISA {
namespace {

// The taps that a pixel of dx gathers: `count` from products[first], `step` elements apart.
struct Taps {
    int64_t first, count;
};

int64_t gcd(int64_t a, int64_t b) { return b == 0 ? a : gcd(b, a % b); }

// The first tap k in [0, taps) for which at - k * dilation is a multiple of the stride, and how
// many of them, `period` apart, meet an output in [0, out).
struct Meeting {
    int64_t first, count, out;  // out: that meets the first tap
};
Meeting meet(const SpreadDim& d, int64_t at) {
    const int64_t period = d.stride / gcd(d.stride, d.dilation);
    int64_t k = 0;
    while (k < period && (at - k * d.dilation) % d.stride != 0) ++k;
    if (k == period) return {0, 0, 0};
    while (k < d.taps && at - k * d.dilation > (d.out - 1) * d.stride) k += period;
    int64_t count = 0;
    for (int64_t j = k; j < d.taps && at - j * d.dilation >= 0; j += period) ++count;
    return {k, count, count ? (at - k * d.dilation) / d.stride : 0};
}

// dx (W,C) of one row from the products (OW, ld) of one image.
template <class T>
void gather(const ConvSpreadArgs& a, const T* products, const Taps* taps, int64_t step, T* dx) {
    const Finish<T> finish(a.epilogue, 0, dx - (T*)a.dx);
    const bool finishes = a.epilogue.any();
    using V = Vec<T>;
    using v = typename V::type;
    const int64_t width = a.dim[2].in, channels = a.channels;
    for (int64_t x = 0; x < width; ++x, dx += channels) {
        const T* from = products + taps[x].first;
        for (int64_t c = 0; c < channels; c += V::lanes) {
            v sum = V::zero();
            for (int64_t i = 0; i < taps[x].count; ++i) sum += V::load(from + c + i * step);
            if (finishes) sum = finish(sum, c, x * channels + c, channels - c);
            if ((width - x) * channels - c >= V::lanes)
                V::store(dx + c, sum);  // what comes after it is written later
            else
                V::store(dx + c, sum, channels - c);
        }
    }
}

template <class T>
void spread(const void* args, int thread, int threads) {
    const ConvSpreadArgs& a = *static_cast<const ConvSpreadArgs*>(args);
    constexpr int64_t panel = kPanel<T>, lanes = Vec<T>::lanes;
    const SpreadDim* d = a.dim;
    const int64_t n = d[2].taps * a.channels, panels = (n + panel - 1) / panel, ld = panels * panel;
    const int64_t row = d[2].out * a.features, image = d[0].out * d[1].out * row;
    const int64_t rows = d[0].in * d[1].in, batches = (a.images + a.together - 1) / a.together;
    const int64_t all = d[0].taps * d[1].taps, depth = a.features;
    const Range range = split(batches * rows, thread, threads);
    if (range.begin == range.end) return;

    Scratch scratch{a.scratch + thread * a.scratch_stride};
    int64_t* a_offset = scratch.take<int64_t>(all);
    int64_t* b_offset = scratch.take<int64_t>(all);
    int64_t* from = scratch.take<int64_t>(a.together * d[2].out);
    int64_t* to = scratch.take<int64_t>(a.together * d[2].out);
    Taps* taps = scratch.take<Taps>(d[2].in);
    T* products = scratch.take<T>(a.together * d[2].out * ld + lanes);
    for (int64_t i = 0; i < a.together * d[2].out; ++i) {
        from[i] = i / d[2].out * image + i % d[2].out * a.features;
        to[i] = i * ld;
    }
    const int64_t period = d[2].stride / gcd(d[2].stride, d[2].dilation);
    const int64_t step = period * a.channels - period * d[2].dilation / d[2].stride * ld;
    for (int64_t x = 0; x < d[2].in; ++x) {
        const Meeting m = meet(d[2], x + d[2].low);
        taps[x] = {m.out * ld + m.first * a.channels, m.count};
    }
    const int64_t period0 = d[0].stride / gcd(d[0].stride, d[0].dilation);
    const int64_t period1 = d[1].stride / gcd(d[1].stride, d[1].dilation);

    Tile<T> t{};
    t.a_step = 1;
    t.ldb = panel;
    t.depth = depth;
    t.a_offset = a_offset;
    t.b_offset = b_offset;
    t.c_rows = to;
    for (int64_t u = range.begin; u < range.end; ++u) {
        const int64_t first = u / rows * a.together, y = u % rows % d[1].in, z = u % rows / d[1].in;
        const int64_t count = a.images - first < a.together ? a.images - first : a.together;
        const Meeting mz = meet(d[0], z + d[0].low), my = meet(d[1], y + d[1].low);
        t.batch = 0;
        for (int64_t i = 0; i < mz.count; ++i)
            for (int64_t j = 0; j < my.count; ++j, ++t.batch) {
                const int64_t oz = mz.out - i * period0 * d[0].dilation / d[0].stride;
                const int64_t oy = my.out - j * period1 * d[1].dilation / d[1].stride;
                const int64_t kz = mz.first + i * period0, ky = my.first + j * period1;
                a_offset[t.batch] = (oz * d[1].out + oy) * row;
                b_offset[t.batch] = (kz * d[1].taps + ky) * depth * panel;
            }
        t.a = (const T*)a.dy + first * image;
        const TileRows tiles(count * d[2].out);
        for (int64_t p = 0; p < panels; ++p) {
            const int64_t left = n - p * panel;
            const int columns = int(left < panel ? (left + lanes - 1) / lanes * lanes : panel);
            t.b = (const T*)a.w + p * all * depth * panel;
            t.c = products + p * panel;
            for (int64_t i = 0; i < tiles.count; ++i) {
                t.a_rows = from + tiles.begin(i);
                t.c_rows = to + tiles.begin(i);
                tile_fn<T>(tiles.size(i), columns)(t, columns);
            }
        }
        for (int64_t i = 0; i < count; ++i)
            gather<T>(a, products + i * d[2].out * ld, taps, step,
                      (T*)a.dx + ((first + i) * rows + u % rows) * d[2].in * a.channels);
    }
}

}  // namespace

void spread_float(const void* args, int thread, int threads) {
    spread<float>(args, thread, threads);
}
void spread_double(const void* args, int thread, int threads) {
    spread<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
