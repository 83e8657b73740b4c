-- A microcontroller with an Arm Cortex-M7: STM32F746NG, as on the board 32F746GDISCOVERY. Limits are the chip's; the
-- program around the network and its stack take their part of them, which the options leave: use "cortex_m7" { ram = 250000 }.
-- What runs is what C source does (docs/c-source.md): int8 and float. Nothing was timed on it, so there is no table.
return plugin {
  kind    = "device",
  summary = "Cortex-M7 of 216 MHz: 320 KiB of memory, 1 MiB of flash (STM32F746NG).",
  options = {
    ram   = { type = "integer", default = 327680, min = 1, help = "bytes of memory for the network: 64, 240 and 16 KiB that follow each other" },
    flash = { type = "integer", default = 1048576, min = 1, help = "bytes of flash for its weights and tables" },
  },
  describe = function(o)
    return {
      bits    = { 8, 32 },
      ram     = o.ram,
      flash   = o.flash,
      clock   = 216e6,
      sources = {
        "STMicroelectronics, DS10916: STM32F745xx/746xx datasheet, features",
        "STMicroelectronics, RM0385: STM32F75xxx and STM32F74xxx reference manual, 2.2 (memory map)",
      },
    }
  end,
}
