// The sizes of a tensor's dimensions: a vector of integers that needs no memory of its own for six
// of them, as types are copied by the thousand while steps are traced.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <vector>

namespace hb {

class Shape {
  public:
    using value_type = int64_t;
    using size_type = size_t;
    using difference_type = std::ptrdiff_t;
    using reference = int64_t&;
    using const_reference = const int64_t&;
    using iterator = int64_t*;
    using const_iterator = const int64_t*;

    Shape() = default;
    explicit Shape(size_t n, int64_t d = 0) { std::fill_n(resized(n), n, d); }
    Shape(std::initializer_list<int64_t> dims) { assign(dims.begin(), dims.end()); }
    Shape(const std::vector<int64_t>& dims) { assign(dims.begin(), dims.end()); }
    template <std::input_iterator It>
    Shape(It first, It last) {
        assign(first, last);
    }
    Shape(const Shape& other) { assign(other.begin(), other.end()); }
    Shape(Shape&& other) noexcept { take(other); }
    Shape& operator=(const Shape& other) {
        if (this != &other) assign(other.begin(), other.end());
        return *this;
    }
    Shape& operator=(Shape&& other) noexcept {
        if (this != &other) take(other);
        return *this;
    }
    operator std::vector<int64_t>() const { return {begin(), end()}; }

    int ndim() const { return int(size_); }
    size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    int64_t* data() { return many_ ? many_.get() : few_; }
    const int64_t* data() const { return many_ ? many_.get() : few_; }
    iterator begin() { return data(); }
    iterator end() { return data() + size_; }
    const_iterator begin() const { return data(); }
    const_iterator end() const { return data() + size_; }
    auto rbegin() const { return std::make_reverse_iterator(end()); }
    auto rend() const { return std::make_reverse_iterator(begin()); }
    int64_t operator[](int64_t i) const { return data()[i]; }
    int64_t& operator[](int64_t i) { return data()[i]; }
    int64_t front() const { return data()[0]; }
    int64_t back() const { return data()[size_ - 1]; }
    int64_t& front() { return data()[0]; }
    int64_t& back() { return data()[size_ - 1]; }

    template <class It>
    void assign(It first, It last) {
        std::copy(first, last, resized(size_t(std::distance(first, last))));
    }
    void push_back(int64_t d) {
        room(size_ + 1)[size_] = d;
        ++size_;
    }
    void pop_back() { --size_; }
    void clear() { size_ = 0; }
    void resize(size_t n) {
        while (size_ < n) push_back(0);
        size_ = n;
    }
    iterator insert(const_iterator at, int64_t d) { return insert(at, &d, &d + 1); }
    template <class It>
    iterator insert(const_iterator at, It first, It last) {
        const std::ptrdiff_t before = at - begin();
        const std::vector<int64_t> added(first, last), after(at, const_iterator(end()));
        int64_t* to = room(size_ + added.size()) + before;
        std::copy(after.begin(), after.end(), std::copy(added.begin(), added.end(), to));
        size_ += added.size();
        return begin() + before;
    }
    iterator erase(const_iterator at) { return erase(at, at + 1); }
    iterator erase(const_iterator first, const_iterator last) {
        const std::ptrdiff_t before = first - begin();
        std::copy(last, const_iterator(end()), begin() + before);
        size_ -= size_t(last - first);
        return begin() + before;
    }

    bool operator==(const Shape& other) const {
        return std::equal(begin(), end(), other.begin(), other.end());
    }

  private:
    static constexpr size_t kFew = 6;

    // Memory for n dimensions, which begins with those there are.
    int64_t* room(size_t n) {
        if (n <= (many_ ? capacity_ : kFew)) return data();
        auto more = std::make_unique<int64_t[]>(2 * n);
        std::copy(begin(), end(), more.get());
        many_ = std::move(more);
        capacity_ = 2 * n;
        return many_.get();
    }
    int64_t* resized(size_t n) {
        int64_t* to = room(n);
        size_ = n;
        return to;
    }
    void take(Shape& other) {
        std::copy(other.few_, other.few_ + kFew, few_);
        many_ = std::move(other.many_);
        size_ = other.size_, capacity_ = other.capacity_;
        other.size_ = 0;
    }

    int64_t few_[kFew] = {};
    std::unique_ptr<int64_t[]> many_;
    size_t size_ = 0, capacity_ = 0;
};

}  // namespace hb
