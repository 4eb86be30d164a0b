# cmake -DFOLDER=... -DOUT=... -P embed.cmake
# Writes a C++ source with the bytes of every file of FOLDER.
file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT files)
set(arrays "")
set(rows "")
set(index 0)
foreach(name IN LISTS files)
  file(READ ${FOLDER}/${name} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "constexpr unsigned char kFile${index}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"/${name}\", {reinterpret_cast<const char*>(kFile${index}), sizeof(kFile${index}) - 1}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "#include \"serve/page.h\"\n
namespace orrery {
namespace {
${arrays}
const PageFile kFiles[] = {
${rows}};
}  // namespace
std::span<const PageFile> EmbeddedPage() { return kFiles; }
}  // namespace orrery
")
