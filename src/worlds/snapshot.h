// World snapshots as bytes: magic, version, the world's spec, the values in order, a checksum. Little-endian.
#pragma once
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/error.h"
#include "core/hash.h"

namespace orrery {

class SnapshotWriter {
 public:
  explicit SnapshotWriter(std::string_view spec);

  template <class T>
  void Put(const T& value) {
    static_assert(std::is_arithmetic_v<T>, "put the fields of a struct one by one: padding has no value");
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  template <class T>
  void PutAll(std::span<const T> values) {
    for (const T& value : values) Put(value);
  }
  std::string Finish() &&;

 private:
  std::string bytes_;
};

// Every call throws Error when the bytes are not a whole snapshot of the world called `spec`.
class SnapshotReader {
 public:
  SnapshotReader(std::string_view bytes, std::string_view spec);

  template <class T>
  T Get() {
    static_assert(std::is_arithmetic_v<T>);
    T value;
    std::memcpy(&value, Take(sizeof(T)), sizeof(T));
    return value;
  }
  template <class T>
  void GetAll(std::span<T> values) {
    for (T& value : values) value = Get<T>();
  }
  // Throws Error when bytes are left.
  void Finish() const;

 private:
  const char* Take(size_t count);

  std::string_view rest_;
};

}  // namespace orrery
